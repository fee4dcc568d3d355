"""What an import did, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from shop.tools.invoices.cleaning import Dirt


class Named(Enum):
    """What became of a cancellation invoice."""

    REQUESTED = "whole order named, being undone"
    CANCELLED = "whole order named, cancelled"
    TOO_LATE = "whole order named, too late: it had left"
    PART = "part of an order named: returns are not supported yet"
    UNMATCHED = "no order of this customer has these goods"
    NO_GOODS = "names no goods"


@dataclass
class Tally:
    invoices: int = 0
    lines: int = 0
    dirt: Counter[Dirt] = field(default_factory=Counter)
    placed: list[int] = field(default_factory=list)  # keys of orders placed now
    again: list[int] = field(default_factory=list)  # of orders an earlier run had placed
    not_placed: Counter[str] = field(default_factory=Counter)  # invoices, by reason
    named: Counter[Named] = field(default_factory=Counter)  # cancellations
    asked: list[int] = field(default_factory=list)  # keys of orders we asked to cancel
    returns: list[str] = field(default_factory=list)  # sentences naming the order

    @property
    def orders(self) -> list[int]:
        """All of them, once: a file may be named twice."""
        return list(dict.fromkeys([*self.placed, *self.again]))
