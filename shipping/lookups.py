"""What other apps may ask of shipping: the answers' types."""

from __future__ import annotations

from uuid import UUID

import msgspec


class Labels(msgspec.Struct, frozen=True):
    """The carrier's tracking number of each parcel of an order that has a label, by its warehouse's code; without those
    that are void. Asked for by order id."""

    tracking: dict[str, str]


class Tracked(msgspec.Struct, frozen=True):
    """The orders with a parcel that has this tracking number, or had it before its label was void. Asked for by it."""

    order_ids: list[UUID]
