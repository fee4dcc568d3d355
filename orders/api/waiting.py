"""Where an order is and what it waits for, in words for the customer: nothing of the shop's insides."""

from __future__ import annotations

from typing import Any

from orders.models import Order, Saga, TimelineEntry
from orders.process import awaited
from shop.messaging.events import StepFailed

RETRIED = "Something did not work at once. It is tried again by itself; nothing is done twice."
PARKED = "Something went wrong, and a person of the shop looks after it."


def waiting(order: Order, for_staff: bool) -> dict[str, Any] | None:
    """What the order waits for; None when it is at its end."""
    saga = order.saga
    if saga.state == Saga.State.ENDED:
        return None
    trouble = RETRIED if saga.attempt or saga.last_error else ""
    answer: dict[str, Any] = {
        "reached": saga.step,
        "undone": saga.undo,
        "text": awaited(saga.position).meanwhile,
        "attempt": saga.attempt,
        "next_look": saga.deadline,
        "trouble": PARKED if saga.state in Saga.WAIT_FOR_A_PERSON else trouble,
    }
    return answer | ({"last_error": saga.last_error} if for_staff else {})


def told(entry: TimelineEntry, for_staff: bool) -> str:
    """An entry's text; the error of a failed step is for staff alone."""
    if entry.event == StepFailed.__name__ and not for_staff:
        return f"{entry.service} had a problem; it is tried again, or a person looks after it"
    return entry.text
