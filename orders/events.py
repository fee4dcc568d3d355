"""What orders publishes: its events, and the types it answers look-ups with. All that other apps may import of it."""

from __future__ import annotations

import msgspec

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


class Line(msgspec.Struct, frozen=True):
    sku: str
    name: str
    quantity: int
    price_minor: int


class OrderLines(msgspec.Struct, frozen=True):
    """What was ordered: a snapshot, made at placement. A SKU may stand there at two prices."""

    currency: str
    total_minor: int
    lines: list[Line]


class AmountDue(msgspec.Struct, frozen=True):
    """What is to be paid, in minor units of the ISO currency, and with which payment method (an opaque token)."""

    amount_minor: int
    currency: str
    method: str


class DeliveryAddress(msgspec.Struct, frozen=True):
    """Where the parcels go. Personal data: asked for when needed, never put in a message."""

    name: str
    line1: str
    city: str
    postcode: str
    country: str


class Contact(msgspec.Struct, frozen=True):
    """Whom to write to. Personal data, too."""

    name: str
    email: str
