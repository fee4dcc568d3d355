"""The basket, kept in the session: SKUs and quantities, and no more of them than an order may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BASKET = "basket"
MOST_LINES = 50
MOST_UNITS = 999  # of one product


class Full(Exception):
    """No other product goes into the basket."""


class Basket:
    def __init__(self, session: Any) -> None:
        self._session = session

    @property
    def lines(self) -> Mapping[str, int]:
        """SKU -> quantity, in the sequence in which they were put in."""
        found: dict[str, int] = self._session.get(BASKET, {})
        return found

    @property
    def units(self) -> int:
        return sum(self.lines.values())

    def add(self, sku: str, quantity: int) -> None:
        """Put so many more in, up to the limit.

        Raises:
            Full: there are as many products in it as it takes.
        """
        self.set(sku, self.lines.get(sku, 0) + quantity)

    def set(self, sku: str, quantity: int) -> None:
        """Have so many in it, up to the limit; 0 takes the product out.

        Raises:
            Full: as for ``add``.
        """
        lines = dict(self.lines)
        if quantity < 1:
            lines.pop(sku, None)
        elif sku not in lines and len(lines) >= MOST_LINES:
            raise Full
        else:
            lines[sku] = min(quantity, MOST_UNITS)
        self._session[BASKET] = lines

    def empty(self) -> None:
        self._session.pop(BASKET, None)
