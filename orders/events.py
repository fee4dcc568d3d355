"""What orders publishes: each fact, what it says, and when it is sent."""

from __future__ import annotations

from shop.messaging.events import Event


class OrderCreated(Event, frozen=True, kw_only=True):
    """A customer placed an order. Sent once, when it is accepted."""

    currency: str
    total_minor: int
    line_count: int


class CancellationRequested(Event, frozen=True, kw_only=True):
    """Somebody wants the order cancelled. Shipping decides whether that is still possible."""

    by: str  # "customer" or "staff"


class OrderStalled(Event, frozen=True, kw_only=True):
    """The order made no progress by its deadline. Sent so that its style of coordination takes it up again."""

    step: str
    attempt: int


class OrderCompleted(Event, frozen=True, kw_only=True):
    """Everything is done. The end of a good order."""


class OrderCancelled(Event, frozen=True, kw_only=True):
    """Everything is undone. The end of an order that was refused, or cancelled in time."""

    reason: str
