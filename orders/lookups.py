"""What other apps may ask of orders: the answers' types. All of it is fixed when the order is placed.

But for what staff correct: the method of an AmountDue and a DeliveryAddress, before the step that needs it has begun, and
while that is held off (shop/base/holds.py).
"""

from __future__ import annotations

import msgspec


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
