"""What is noted of an order's way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from inventory.events import InventoryReserved
from notifications.events import CancellationNoticeSent
from orders.models import Order
from orders.progress import note_progress
from orders.tests.pages import parked
from shop.messaging.events import Event, StepFailed


@pytest.mark.parametrize(("ends", "state"), [(True, "failing"), (False, "parked")])
def test_an_order_that_is_wholly_undone_leaves_nothing_that_waits_for_a_person(
    order: Order, ends: bool, state: str
) -> None:
    """It was parked at a step of which nothing is left to do: whoever is called again finds the tombstone."""
    row = parked("payments", order, receiver="payments.take_payment", type="InventoryReserved")
    done = parked("shipping", order, state="done")
    events: Sequence[Event] = [InventoryReserved(ref=order.ref, warehouses=[])]
    if ends:
        events = [CancellationNoticeSent(ref=order.ref)]
    note_progress(events)
    row.refresh_from_db()
    done.refresh_from_db()
    assert (row.state, done.state) == (state, "done")
    assert bool(row.due_at) is ends


def test_a_failure_that_is_told_twice_counts_once(order: Order) -> None:
    failed = StepFailed(ref=order.ref, operation="shipping.create_labels", error="no answer")
    note_progress([failed, failed])
    note_progress([failed])
    order.saga.refresh_from_db()
    assert order.saga.attempt == 1
