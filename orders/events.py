"""What orders publishes: each fact, what it says, and when it is sent."""

from __future__ import annotations

from shop.base.money import show
from shop.messaging.events import Event


class OrderCreated(Event, frozen=True, kw_only=True):
    """A customer placed an order. Sent once, when it is accepted."""

    currency: str
    total_minor: int
    line_count: int

    def in_words(self) -> str:
        total = show(self.total_minor, self.currency)
        return (
            f"placed: {self.line_count} line{'' if self.line_count == 1 else 's'}, {total}, {self.ref.style}"
        )


class CancellationRequested(Event, frozen=True, kw_only=True):
    """Somebody wants the order cancelled. Shipping decides whether that is still possible."""

    by: str  # "customer" or "staff"

    def in_words(self) -> str:
        return f"cancellation requested by {self.by}"


class OrderStalled(Event, frozen=True, kw_only=True):
    """The order made no progress by its deadline. Sent so that its style of coordination takes it up again.

    ``by``: who did not wait for the deadline; empty: it had come.
    """

    step: str
    attempt: int
    by: str = ""  # "staff"

    def in_words(self) -> str:
        if self.by:
            return f"taken up again after {self.step!r} by {self.by}"
        return f"no progress since {self.step!r}; taken up again"


class OrderCompleted(Event, frozen=True, kw_only=True):
    """Everything is done. The end of a good order."""

    def in_words(self) -> str:
        return "the order is completed"


class OrderCancelled(Event, frozen=True, kw_only=True):
    """Everything is undone. The end of an order that was refused, or cancelled in time; why, its saga says."""

    reason: str = ""  # as events of an earlier version had it

    def in_words(self) -> str:
        return f"cancelled: {self.reason}" if self.reason else "the order is cancelled"
