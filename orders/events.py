"""What orders publishes: each fact, what it says, and when it is sent."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shop.base.money import show
from shop.messaging.events import Event


class OrderCreated(Event, frozen=True, kw_only=True):
    """A customer placed an order. Sent once, when it is accepted."""

    currency: Annotated[str, Meta(description="The ISO code.", examples=["GBP"])]
    total_minor: Annotated[int, Meta(description="The total, in minor units.", examples=[2500])]
    line_count: Annotated[int, Meta(description="How many lines it has.", examples=[2])]

    def in_words(self) -> str:
        total = show(self.total_minor, self.currency)
        return (
            f"placed: {self.line_count} line{'' if self.line_count == 1 else 's'}, {total}, {self.ref.style}"
        )


class CancellationRequested(Event, frozen=True, kw_only=True):
    """Somebody wants the order cancelled. Shipping decides whether that is still possible."""

    by: Annotated[str, Meta(description="Who wants it: customer or staff.", examples=["customer"])]

    def in_words(self) -> str:
        return f"cancellation requested by {self.by}"


class OrderStalled(Event, frozen=True, kw_only=True):
    """The order made no progress by its deadline. Sent so that its style of coordination takes it up again."""

    step: Annotated[
        str,
        Meta(description="Where the order stands, as orders/process.py names it.", examples=["a position"]),
    ]
    attempt: Annotated[int, Meta(description="Failed attempts so far.", examples=[1])]
    by: Annotated[
        str, Meta(description="Who did not wait for the deadline; empty: it had come.", examples=["staff"])
    ] = ""

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

    reason: Annotated[str, Meta(description="As events of an earlier version had it.")] = ""

    def in_words(self) -> str:
        return f"cancelled: {self.reason}" if self.reason else "the order is cancelled"
