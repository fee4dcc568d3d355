"""What each service believed after each event."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from orders.models import TimelineEntry
from orders.telling.beliefs import beliefs

Row = tuple[str, str, str]


def told(rows: list[Row]) -> list[TimelineEntry]:
    return [
        TimelineEntry(event_id=UUID(int=number), service=service, event=event, kind=kind, text=event)
        for number, (service, event, kind) in enumerate(rows, 1)
    ]


def after(rows: list[Row], number: int) -> list[str]:
    """The states of orders, inventory, payments, shipping, notifications after this event of these."""
    return [belief.state for belief in beliefs(told(rows), UUID(int=number))]


THERE: list[Row] = [
    ("orders", "OrderCreated", "forward"),
    ("inventory", "InventoryReserved", "forward"),
    ("payments", "StepFailed", "trouble"),
    ("payments", "PaymentProcessed", "forward"),
    ("shipping", "ParcelsLabelled", "forward"),
]
SHIPPED: list[Row] = [
    ("shipping", "OrderShipped", "forward"),
    ("inventory", "StockDispatched", "forward"),
    ("notifications", "ConfirmationSent", "forward"),
    ("orders", "OrderCompleted", "forward"),
]
BACK: list[Row] = [
    ("orders", "CancellationRequested", "undo"),
    ("shipping", "ShippingStopped", "undo"),
    ("payments", "PaymentRefunded", "undo"),
    ("inventory", "InventoryReleased", "undo"),
    ("orders", "OrderCancelled", "undo"),
    ("notifications", "CancellationNoticeSent", "undo"),
]
NO = "nothing yet"


@pytest.mark.parametrize(
    ("rows", "number", "expected"),
    [
        (THERE, 1, ["placed", NO, NO, NO, NO]),
        (THERE, 3, ["reserved", "reserved", "failing", NO, NO]),
        (THERE, 5, ["paid", "reserved", "paid", "labelled", NO]),
        (THERE + SHIPPED, 9, ["completed", "dispatched", "paid", "shipped", "confirmed"]),
        (THERE + BACK, 7, ["cancelling", "reserved", "paid", "shipping stopped", NO]),
        (THERE + BACK, 11, ["cancelled", "stock released", "payment undone", "shipping stopped", "customer told"]),
        ([*THERE[:2], ("payments", "PaymentFailed", "undo")], 3, ["cancelling", "reserved", "refused", NO, NO]),
    ],
)  # fmt: skip
def test_it_is_replayed_until_there(rows: list[Row], number: int, expected: list[str]) -> None:
    assert after(rows, number) == expected


def test_a_cancellation_that_came_too_late_leaves_the_order_on_its_way() -> None:
    late = [*THERE, SHIPPED[0], BACK[0], ("shipping", "CancellationRefused", "forward"), SHIPPED[-1]]
    assert [after(late, number)[0] for number in (6, 7, 8, 9)] == [
        "shipped",
        "cancelling",
        "shipped",
        "completed",
    ]


def test_it_says_what_is_new_and_since_when() -> None:
    found = {belief.service: belief for belief in beliefs(told(THERE), UUID(int=4))}
    assert [service for service, belief in found.items() if belief.is_new] == ["orders", "payments"]
    assert found["inventory"].since
    assert found["inventory"].since.event == "InventoryReserved"
    assert [belief.state for belief in beliefs([], uuid4())] == [NO] * 5
