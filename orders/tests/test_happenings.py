"""What happened to an order, step by step, told from its timeline; and drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from orders.models import Order, Saga
from orders.telling.ahead import happenings
from orders.telling.axis import FULL, NAMES
from orders.telling.drawing import draw
from orders.telling.happenings import Happening, Kind
from orders.telling.situation import Elsewhere
from orders.telling.steps import TROUBLE, rows
from orders.tests.timelines import entry

Tell = Callable[..., UUID]


@pytest.fixture
def tell(order: Order) -> Tell:
    """Adds an event to the order's timeline, so many ms after it was placed. Returns its id."""

    def tell(
        ms: int, service: str, event: str, kind: str = "forward", cause: UUID | None = None, **more: Any
    ) -> UUID:
        return entry(order, ms, service, event, kind, cause=cause, **more)

    return tell


def found(
    order: Order, seconds: float = 60, parcels: dict[str, str] | None = None, **saga: Any
) -> list[Happening]:
    """As it is so many seconds after the order was placed."""
    Saga.objects.filter(order=order).update(**saga)
    now = order.placed_at + timedelta(seconds=seconds)
    around = Elsewhere(now=now, away={}, silent=(), queueing={})
    return happenings(
        Order.objects.select_related("saga").get(pk=order.pk), order.timeline.all(), around, parcels
    )


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


def test_time_that_went_into_attempts_is_not_drawn_as_work_and_waiting_for_a_worker_is(
    order: Order, tell: Tell
) -> None:
    placed = tell(0, "orders", "OrderCreated")
    tell(5_000, "orders", "OrderStalled", "trouble")
    reserved = tell(10_000, "inventory", "InventoryReserved", cause=placed, began_at=9_000)
    tell(11_000, "payments", "StepFailed", "trouble", cause=reserved)
    tell(20_000, "payments", "PaymentProcessed", cause=reserved, began_at=19_000)
    now = order.placed_at + timedelta(seconds=21)
    _, waited, tried = draw(found(order, 21, state="running", step="paid"), now).boxes[:3]
    assert [(part.kind, part.width / waited.width) for part in waited.parts] == [
        ("waited", pytest.approx(0.9)),
        ("worked", pytest.approx(0.1)),
    ]
    (worked,) = tried.parts
    assert (worked.width, worked.x + worked.width) == (
        pytest.approx(tried.width / 10),
        pytest.approx(tried.right),
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


@pytest.mark.parametrize("in_turn", [True, False])
def test_what_waits_for_two_follows_from_both_unless_one_led_to_the_other(
    order: Order, tell: Tell, in_turn: bool
) -> None:
    shipped = tell(30, "shipping", "OrderShipped")
    dispatched = tell(40, "inventory", "StockDispatched", cause=shipped)
    confirmed = tell(
        50, "notifications", "ConfirmationSent", cause=dispatched if in_turn else shipped
    )  # a chain, or each by itself
    tell(60, "orders", "OrderCompleted", cause=confirmed)
    told = found(order, state="ended", step="completed")[-1]
    assert set(told.causes) == ({confirmed} if in_turn else {dispatched, confirmed})
    drawing = draw(found(order, state="ended", step="completed"), order.placed_at)
    assert len(drawing.arrows) == (3 if in_turn else 4)


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


def test_parcels_stand_side_by_side_each_with_its_number(order: Order, tell: Tell) -> None:
    paid = tell(12, "payments", "PaymentProcessed")
    labelled = tell(20, "shipping", "ParcelsLabelled", cause=paid)
    tell(30, "shipping", "OrderShipped", cause=labelled)
    parcels = {"SOUTH": "SB2", "NORTH": "SB1"}
    drawing = draw(found(order, 1, parcels, state="running", step="shipped"), order.placed_at)
    drawn = [(box.text, box.y) for box in drawing.boxes if box.happening.service == "shipping"]
    (_, north), (_, south) = drawn[:2]
    assert drawn == [
        ("labelled · NORTH", north),
        ("labelled · SOUTH", south),
        ("shipped · NORTH", north),
        ("shipped · SOUTH", south),
    ]
    assert south > north
    assert "shipping, SOUTH SB2, +8 ms" in drawing.boxes[2].told
    many = {f"W{number}": "" for number in range(9)}
    drawing = draw(found(order, 1, many, state="running", step="shipped"), order.placed_at)
    assert "labelled · 9 parcels" in [box.text for box in drawing.boxes]


def test_while_a_parcel_waits_for_its_label_the_other_is_drawn_as_done(order: Order, tell: Tell) -> None:
    tell(12, "payments", "PaymentProcessed")
    now = order.placed_at + timedelta(seconds=1)
    told = found(order, 1, {"NORTH": "SB1", "SOUTH": ""}, state="running", step="paid")
    kinds = {box.warehouse: box.kind for box in draw(told, now).boxes if box.happening is told[1]}
    assert kinds == {"NORTH": Kind.DONE, "SOUTH": Kind.UNDER_WAY}


def test_what_people_did_is_marked_at_its_time(order: Order, tell: Tell) -> None:
    tell(0, "orders", "OrderCreated")
    tell(1000, "inventory", "InventoryReserved")
    at = order.placed_at + timedelta(milliseconds=500)
    drawing = draw(found(order, state="ended"), order.placed_at, [(at, "boss: Resumed.")])
    (mark,) = drawing.marks
    placed, reserved = drawing.boxes
    assert placed.x < mark.x < reserved.right


def test_it_is_drawn_in_lanes_from_left_to_right_and_nothing_lies_on_anything(
    order: Order, tell: Tell
) -> None:
    placed = tell(2, "orders", "OrderCreated")
    reserved = tell(12, "inventory", "InventoryReserved", cause=placed)
    paid = tell(3_600_000, "payments", "PaymentProcessed", cause=reserved, began_at=3_599_000, outside=0.5)
    wish = tell(3_600_010, "orders", "CancellationRequested", "undo")
    tell(3_600_020, "shipping", "ParcelsLabelled", cause=paid)
    tell(3_600_030, "shipping", "ShippingStopped", "undo", cause=wish)
    told = found(order, 3700, state="running", step="labelled", undo="stopped")
    drawing = draw(told, order.placed_at + timedelta(seconds=3700))
    assert [lane.name for lane in drawing.lanes] == [
        "orders",
        "inventory",
        "payments",
        "shipping",
        "notifications",
    ]
    assert len(drawing.boxes) == len(told)
    for box in drawing.boxes:
        assert box.x >= NAMES
        assert box.right <= drawing.width
        assert box.width >= len(box.text) * 6
        assert all(box.x <= part.x <= part.x + part.width <= box.right + 0.01 for part in box.parts)
        for other in drawing.boxes:
            beside = box.right <= other.x or other.right <= box.x or box.y != other.y
            assert other is box or beside, (box.told, other.told)
    assert drawing.width == pytest.approx(FULL, abs=60)
    assert drawing.ticks[-1][1] == "+1 h 1 min 40 s"
    assert drawing.now is not None


def test_an_order_of_which_nothing_is_known_yet_is_drawn_empty(order: Order) -> None:
    drawing = draw(found(order), order.placed_at)
    assert (drawing.boxes, drawing.lanes, drawing.arrows) == ([], [], [])


def test_which_step_took_how_long_is_told_after_minutes_too(order: Order, tell: Tell) -> None:
    reserved = tell(40, "inventory", "InventoryReserved", cause=tell(2, "orders", "OrderCreated"))
    paid = tell(72_340, "payments", "PaymentProcessed", cause=reserved, began_at=72_300)
    labelled = tell(72_370, "shipping", "ParcelsLabelled", cause=paid)
    tell(72_470, "shipping", "OrderShipped", cause=labelled)
    told = found(order, 80)
    done = [(row.after, row.took) for row in rows(told, order.placed_at) if row.event_id]
    assert done == [
        ("+2 ms", ""),
        ("+40 ms", "38 ms"),
        ("+1 min 12.3 s", "1 min 12 s"),
        ("+1 min 12.4 s", "30 ms"),
        ("+1 min 12.5 s", "100 ms"),
    ]
    drawn = [box.told for box in draw(told, order.placed_at + timedelta(seconds=80)).boxes]
    assert any("shipping, +1 min 12.5 s: " in one and "took 100 ms" in one for one in drawn), drawn
