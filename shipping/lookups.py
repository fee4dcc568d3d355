"""What other apps may ask of shipping: the answers' types."""

from __future__ import annotations

import msgspec


class ParcelWarehouses(msgspec.Struct, frozen=True):
    """The codes of the warehouses an order's parcels leave from, one parcel from each. Asked for by order id."""

    codes: list[str]
