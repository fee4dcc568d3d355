"""Completed: charged exactly once, exactly the total. Cancelled: net zero. Anything else: charged at most once."""

from __future__ import annotations

from collections.abc import Iterator

from payments.models import Payment
from shop.base.money import show
from shop.tools.audit.cases import Case

State = Payment.State
NEVER_CHARGED = (State.FAILED, State.VOID)


def check_order(case: Case) -> Iterator[str]:
    order, money = case.order, case.money
    if money.charges > 1:
        yield f"{case.number} was charged {money.charges} times."
    elif money.charges and (money.charged, money.currency) != (order.total_minor, order.currency):
        yield f"{case.number} was charged {show(money.charged, money.currency)}, but its total is {order.total}."
    if case.completed:
        yield from _completed(case)
    elif case.cancelled:
        yield from _cancelled(case)


def _completed(case: Case) -> Iterator[str]:
    if not case.money.charges:
        yield f"{case.number} is completed, but was never charged."
    if case.money.refunded:
        yield f"{case.number} is completed, but {_refunded(case)} was refunded."
    if case.payment and case.payment.amount_minor != case.order.total_minor:
        noted = show(case.payment.amount_minor, case.order.currency)
        yield f"{case.number} costs {case.order.total}, but payments notes {noted}."


def _cancelled(case: Case) -> Iterator[str]:
    if case.money.kept:
        kept = show(case.money.kept, case.order.currency)
        yield f"{case.number} is cancelled, but the provider still holds {kept} for it."
    elif case.payment and case.payment.state in NEVER_CHARGED and case.money.charges:
        yield f"{case.number} was charged, though payments notes it as {case.payment.state}."
    elif case.payment and case.payment.refunded_minor != case.money.refunded:
        noted = show(case.payment.refunded_minor, case.order.currency)
        yield f"{case.number} was refunded {_refunded(case)}, but payments notes {noted}."


def _refunded(case: Case) -> str:
    return show(case.money.refunded, case.order.currency)
