"""What happened to an order, step by step, told from its timeline; and drawn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from orders.ahead import happenings
from orders.axis import FULL, NAMES
from orders.drawing import draw
from orders.happenings import Happening, Kind
from orders.models import Order, Saga, TimelineEntry
from orders.situation import Elsewhere

Tell = Callable[..., UUID]


@pytest.fixture
def tell(order: Order) -> Tell:
    """Adds an event to the order's timeline, so many ms after it was placed. Returns its id."""

    def tell(
        ms: int, service: str, event: str, kind: str = "forward", cause: UUID | None = None, **more: Any
    ) -> UUID:
        id = uuid4()
        for name in ("sent_at", "began_at"):
            if name in more:
                more[name] = order.placed_at + timedelta(milliseconds=more[name])
        TimelineEntry.objects.create(
            order=order,
            event_id=id,
            at=order.placed_at + timedelta(milliseconds=ms),
            service=service,
            event=event,
            kind=kind,
            text=f"{event} happened",
            cause=cause,
            **more,
        )
        return id

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
    assert drawing.ticks[-1][1] == "+1 h 1 min"
    assert drawing.now is not None


def test_an_order_of_which_nothing_is_known_yet_is_drawn_empty(order: Order) -> None:
    drawing = draw(found(order), order.placed_at)
    assert (drawing.boxes, drawing.lanes, drawing.arrows) == ([], [], [])
