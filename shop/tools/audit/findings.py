"""What an audit finds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Promise(StrEnum):
    STOCK = "stock"  # conserved; every order has exactly its units
    MONEY = "money"  # completed: charged once; cancelled: net zero
    ENDINGS = "endings"  # every order is at an end, or has a deadline ahead, or waits for a person
    PARCELS = "parcels"  # completed: all handed over; cancelled: all void
    MAILS = "mails"  # the right ones, each once
    AGREEMENT = "agreement"  # the services and the timeline agree with the order's status


class Violation(NamedTuple):
    promise: Promise
    sentence: str


@dataclass
class Report:
    """``checked``: per promise, what was looked at and how many of it. ``left_out``: what could not be, and why.
    ``parked``: what waits for a person, a sentence each; it breaks no promise."""

    orders: int = 0
    in_flight: int = 0
    checked: dict[Promise, Counter[str]] = field(
        default_factory=lambda: {promise: Counter() for promise in Promise}
    )
    left_out: dict[Promise, str] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.violations
