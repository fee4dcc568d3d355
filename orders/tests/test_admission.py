"""When the door is shut: what is a backlog, and what only waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from orders.admission import FEW, Door, Line, line
from orders.models import Saga
from orders.process import FORWARD, awaited
from shop.messaging.outages import outages_of
from shop.web.control.attention import concerns
from shop.web.control.numbers import Numbers
from tests.statements import statements

PAYING = next(position for position in FORWARD if awaited(position).service == "payments")


@pytest.fixture
def waiting(place_order: Any) -> None:
    """A backlog: orders that wait for the payments service, for 20 s."""
    for _ in range(FEW):
        place_order()
    Saga.objects.update(step=PAYING, moved_at=F("moved_at") - timedelta(seconds=20))


def test_orders_that_wait_for_their_turn_are_a_backlog(waiting: None) -> None:
    with statements() as sent:
        found = line(15)
    assert (found.late, found.half) == (FEW, FEW)
    assert 20 <= found.longest < 25
    assert line(30)[:2] == (0, FEW)
    assert line(50).half == 0
    assert len(sent) <= 3, "of the outages of the services that have providers, and of the sagas"


def test_nothing_waits_where_no_order_is(db: None) -> None:
    assert line(15) == Line(0, 0, 0.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": Saga.State.PARKED},
        {"state": Saga.State.NEEDS_ATTENTION},
        {"state": Saga.State.ENDED, "deadline": None},
        {"last_error": "take_payment: the customer has to confirm it"},
        {"attempt": 1},
    ],
    ids=["parked", "attention", "ended", "waits", "tries again"],
)
def test_what_waits_for_something_else_is_none(waiting: None, changes: dict[str, Any]) -> None:
    Saga.objects.update(**changes)
    assert line(15).half == 0


def test_nor_is_what_waits_for_a_provider_that_is_away(waiting: None) -> None:
    outage: Any = outages_of("payments")
    now = timezone.now()
    outage.objects.create(provider="the payment provider", since=now, probe_at=now)
    assert line(15).half == 0
    behind = awaited(FORWARD[FORWARD.index(PAYING) - 1]).service
    assert behind != "payments"
    Saga.objects.update(step=FORWARD[FORWARD.index(PAYING) - 1])
    assert line(15).late == FEW, "but what waits for another service is"


def test_it_shuts_and_opens_at_different_ages_so_that_it_does_not_flap(caplog: Any) -> None:
    door = Door()
    few, many = FEW - 1, FEW
    for found, shut in (
        (Line(few, many, 14.0), False),
        (Line(many, many, 16.0), True),
        (Line(0, many, 9.0), True),
        (Line(0, few, 7.0), False),
        (Line(few, many, 14.0), False),
    ):
        door.judge(found, 15)
        assert (door._line is not None) is shut, found
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        f"The door is shut: {FEW} orders have waited for their turn for more than 15 s.",
        "The door is open again.",
    ]


def test_the_control_room_says_that_it_is_shut_and_why(db: None) -> None:
    (concern, *_) = concerns(Numbers(shut=Line(40, 60, 33.4)))
    assert concern.first == "The door is shut: no new order is taken."
    assert concern.rest.startswith("40 orders wait for their turn, the first for 33 s.")


def test_with_no_age_set_it_is_never_shut(settings: Any) -> None:
    settings.ADMISSION_MAX_AGE = 0.0
    door = Door()
    door.judge(Line(99, 99, 99.0), 15)
    assert door.shut() is None
