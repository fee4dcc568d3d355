"""A dry run tells the truth: what it says would happen happens once, and is then said to be recorded."""

from __future__ import annotations

from typing import Any

import pytest

from inventory import services as inventory
from notifications import services as notifications
from orders.process import MIRROR, PROCESS
from payments import services as payments
from shipping import services as shipping
from shop.base import effects
from shop.base.effects import Effects, foreseen
from shop.messaging import reactions

FORWARD = (payments.take_payment, shipping.create_labels, shipping.hand_over, notifications.send_confirmation)
BACKWARD = (shipping.stop_shipping, payments.refund_payment, notifications.send_cancellation_notice)


def of(operation: Any, ref: Any) -> Effects:
    return foreseen(f"{operation.__module__.partition('.')[0]}.{operation.__name__}", [ref.id])[ref.id]


@pytest.mark.parametrize("way", [FORWARD, (*FORWARD[:2], *BACKWARD)], ids=["forward", "and back"])
def test_each_step_says_what_it_would_do_and_then_that_it_is_done(
    place_order: Any, outside: Any, mailbox: None, way: Any
) -> None:
    ref = place_order()
    inventory.reserve_stock([ref])
    for operation in way:
        before = of(operation, ref)
        assert before.outside, operation
        assert of(operation, ref) == before  # it was only said
        assert operation([ref]).done == [ref]
        after = of(operation, ref)
        assert after.recorded
        assert after.outside == ()
    assert of(payments.take_payment, ref).outside == of(shipping.create_labels, ref).outside == ()


def test_what_nobody_knows_is_said_to_be_asked_for_under_the_same_key(place_order: Any, outside: Any) -> None:
    ref = place_order(card="answer_lost", postcode="GARBLED")
    inventory.reserve_stock([ref])
    payments.take_payment([ref])
    shipping.create_labels([ref])
    charge, label = of(payments.take_payment, ref), of(shipping.create_labels, ref)
    assert "what became of it is not known" in charge.recorded[0]
    assert "GBP 10.00 is charged once at most" in charge.outside[0]
    assert (label.recorded, len(label.outside)) == ((), 2)


def test_every_step_that_asks_somebody_outside_says_what_it_would_do() -> None:
    """Which those are, the time tells that they are given: see the apps' ``tasks.py``."""
    longer = {move.operation for move in (*PROCESS, *MIRROR) if move.operation in reactions._within}
    told = {f"{one.__module__.partition('.')[0]}.{one.__name__}" for one in (*FORWARD, *BACKWARD)}
    assert told == longer
    assert set(effects._foresights) == told
