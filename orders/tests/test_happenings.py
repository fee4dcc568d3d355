"""What happened to an order, step by step, told from its timeline."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from orders.models import Order, Saga
from orders.telling.happenings import Happening, Kind
from orders.telling.steps import TROUBLE, rows
from orders.tests.timelines import Tell, found


def kinds(some: list[Happening]) -> list[tuple[str, str]]:
    return [(one.kind.value, one.text) for one in some]


def test_attempts_at_a_step_that_was_given_up_are_not_those_of_its_undo(order: Order, tell: Tell) -> None:
    text = "payments.take_payment failed: no answer"
    placed = tell(2, "orders", "OrderCreated")
    reserved = tell(12, "inventory", "InventoryReserved", cause=placed)
    for ms in (20, 30, 40):
        tell(ms, "payments", "StepFailed", "trouble", text=text, cause=reserved)
    wish = tell(50, "orders", "CancellationRequested", "undo", text="cancellation requested by staff")
    stopped = tell(60, "shipping", "ShippingStopped", "undo", cause=wish)
    given_up = ("refused", "take payment: given up · 3 attempts")
    going_back: dict[str, Any] = {"state": "running", "step": "reserved", "undo": "stopped"}
    told = found(order, 1, **going_back)
    assert kinds(told)[2] == given_up
    assert told[2].causes == (reserved,)
    ways = [(row.way, row.words) for row in rows(told, order.placed_at)]
    assert ways[2:4] == [(TROUBLE, "tried 2 times in vain"), (TROUBLE, "take payment: given up")]
    assert kinds(told)[5] == ("now", "refund payment")
    tell(
        70,
        "payments",
        "StepFailed",
        "trouble",
        text="payments.refund_payment failed: no answer",
        cause=stopped,
    )
    tell(80, "payments", "PaymentRefunded", "undo", cause=stopped)
    assert kinds(found(order, 1, **going_back))[2] == given_up
    assert ("undo", "↩ nothing to undo · 2 attempts") in kinds(found(order, 1, **going_back))


def test_attempts_are_folded_into_the_step_they_were_for(order: Order, tell: Tell) -> None:
    placed = tell(2, "orders", "OrderCreated")
    reserved = tell(12, "inventory", "InventoryReserved", cause=placed)
    for ms in range(300):
        tell(20 + 10 * ms, "payments", "StepFailed", "trouble", cause=reserved)
        tell(21 + 10 * ms, "orders", "OrderStalled", "trouble")
    tell(4000, "payments", "PaymentProcessed", cause=reserved, began_at=3950, outside=0.03)
    *_, paid, under_way, ahead = found(order, 5, state="running", step="paid")[:5]
    assert (paid.kind, paid.text) == (Kind.DONE, "paid · 301 attempts")
    assert (paid.began - order.placed_at, paid.causes) == (timedelta(milliseconds=12), (reserved,))
    assert paid.outside == 0.03
    assert paid.worked == pytest.approx(0.02)
    assert (under_way.kind, under_way.text, ahead.kind) == (
        Kind.UNDER_WAY,
        "create labels",
        Kind.EXPECTED,
    )


def test_what_fails_is_late_until_it_is_done(order: Order, tell: Tell) -> None:
    reserved = tell(12, "inventory", "InventoryReserved", cause=tell(2, "orders", "OrderCreated"))
    tell(20, "payments", "StepFailed", "trouble", cause=reserved)
    told = kinds(found(order, state="running", step="reserved"))
    assert told[2:4] == [("late", "take payment · 1 attempt"), ("expected", "labelled")]
    assert told[-1] == ("expected", "completed")


def test_the_way_back_and_a_refusal(order: Order, tell: Tell) -> None:
    reserved = tell(12, "inventory", "InventoryReserved", cause=tell(2, "orders", "OrderCreated"))
    refused = tell(20, "payments", "PaymentFailed", "undo", cause=reserved)
    tell(30, "inventory", "InventoryReleased", "undo", cause=refused)
    told = found(order, state="ended", step="reserved", undo="notified")
    assert kinds(told)[2:] == [("refused", "refused"), ("undo", "↩ stock released")]
    assert told[-1].causes == (refused,)


def test_what_stalled_or_is_from_an_earlier_version_follows_from_what_came_before(
    order: Order, tell: Tell
) -> None:
    placed = tell(2, "orders", "OrderCreated")
    stalled = tell(5000, "orders", "OrderStalled", "trouble")
    reserved = tell(5012, "inventory", "InventoryReserved", cause=stalled)
    tell(5020, "payments", "PaymentProcessed")  # of an earlier version: nobody noted what led to it
    asked = tell(5030, "orders", "CancellationRequested", "undo")
    told = {
        one.entry.event: one.causes
        for one in found(order, state="running", step="paid", undo="requested")
        if one.entry
    }
    assert told["InventoryReserved"] == (placed,)
    assert told["PaymentProcessed"] == (reserved,)
    assert told["CancellationRequested"] == told["OrderCreated"] == ()
    assert asked


def test_parcels_that_were_labelled_side_by_side_join_again(order: Order, tell: Tell) -> None:
    paid = tell(12, "payments", "PaymentProcessed")
    labelled = tell(20, "shipping", "ParcelsLabelled", cause=paid)
    tell(30, "shipping", "OrderShipped", cause=paid)  # the chord's body was sent together with its headers
    assert found(order, step="shipped")[2].causes == (labelled,)


def test_of_what_was_never_done_nothing_is_undone(order: Order, tell: Tell) -> None:
    tell(2, "orders", "OrderCreated")
    wish = tell(9, "orders", "CancellationRequested", "undo", text="cancellation requested by staff")
    stopped = tell(20, "shipping", "ShippingStopped", "undo", cause=wish)
    tell(30, "payments", "PaymentRefunded", "undo", cause=stopped)
    told = found(order, state="running", step="placed", undo="refunded")
    assert [(one.text, one.by) for one in told[:4]] == [
        ("placed · by customer", "customer"),
        ("to be cancelled · by staff", "staff"),
        ("↩ shipping stopped", "system"),
        ("↩ nothing to undo", "system"),
    ]


@pytest.mark.parametrize("style", settings.STYLES)
def test_what_is_expected_says_by_when_and_stands_beside_what_it_does_not_wait_for(
    order: Order, tell: Tell, style: str
) -> None:
    Order.objects.filter(pk=order.pk).update(style=style)
    tell(5, "shipping", "ParcelsLabelled")
    *_, confirmed, completed = found(order, 2, state="running", step="labelled")
    each_by_itself = style == "choreography"
    assert confirmed.after == ["OrderShipped" if each_by_itself else "StockDispatched"]
    assert all(re.match(r"by \d\d:\d\d:\d\d UTC", one.due) for one in (confirmed, completed))
    tell(10, "shipping", "OrderShipped")
    told = found(order, 2, state="running", step="shipped")[2:]
    waits = "send confirmation" if each_by_itself else "confirmed"
    assert [one.words for one in told] == ["dispatch stock", waits, "completed"]
    Saga.objects.filter(order=order).update(state="parked", deadline=None)
    parked = found(order, 2)[2]
    assert (parked.kind, parked.due) == (Kind.LATE, "goes on when a person has resumed it")
