"""An order's way through the services, drawn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orders.models import Order
from orders.telling.axis import FULL, NAMES
from orders.telling.drawing import draw
from orders.telling.happenings import Kind
from orders.telling.steps import rows
from orders.tests.timelines import Tell, found


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
    assert {part.kind: part.width / waited.width for part in waited.parts} == pytest.approx(
        {"waited": 0.9, "worked": 0.1}
    )
    (worked,) = tried.parts
    assert [worked.width, worked.x + worked.width] == pytest.approx([tried.width / 10, tried.right])


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
