"""What other apps may ask of shipping: the answers' types."""

from __future__ import annotations

import msgspec


class Labels(msgspec.Struct, frozen=True):
    """The codes of the warehouses for whose parcels of an order there are labels. Asked for by order id."""

    codes: list[str]
