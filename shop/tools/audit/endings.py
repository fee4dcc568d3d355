"""Every order is at an end, or has a deadline ahead at which it is taken up again, or waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from orders.models import Saga
from shop.tools.audit.cases import Case

GRACE = timedelta(seconds=30)  # overdue sagas are swept every second; this late, nobody sweeps


def check_order(case: Case) -> Iterator[str]:
    saga = case.saga
    if saga is None:
        yield f"{case.number} has no saga."
    elif saga.state == Saga.State.RUNNING:
        if saga.deadline is None:
            yield f"{case.number} is neither at an end nor has it a deadline."
        elif (late := case.now - saga.deadline) > GRACE:
            yield f"{case.number} is {late.total_seconds():,.0f} s past its deadline."


def waits_for_a_person(case: Case) -> Iterator[str]:
    """No broken promise, but work: what was given up on is kept, and goes on once somebody has looked."""
    saga = case.saga
    if saga and saga.state in Saga.WAIT_FOR_A_PERSON:
        why = saga.last_error or "no error noted"
        yield f"{case.number} waits for a person since it was {saga.position}: {why}"
        return
    for row in case.parked:
        yield f"{case.number} waits for a person: {row.receiver} gave up on {row.type}: {row.error}"
