"""What a moment is at which orders were in flight when a dump was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.upgrade.position import Position

STYLES = ("orchestration", "choreography")
COMPLETED, CANCELLED = "completed", "cancelled"
LAMP, MUG, SOLD_OUT = "LAMP", "MUG", "SOLD-OUT"  # in the warehouse NORTH; in SOUTH; in none
EACH = 2  # orders of a moment in each style
QUIET: Position = {"saga": "running", "failing": None, "parked": None, "unsent": None, "untold": None}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """``at``: where its orders stand in both styles; besides, in one style (None: there are none in this style).

    ``breaks``: the changes of rows, as (table, columns), that break for its orders with an error of the database.
    """

    end: str
    at: Position = field(default_factory=dict)
    orchestration: Position | None = field(default_factory=dict)
    choreography: Position | None = field(default_factory=dict)
    card: str = "approved"
    postcode: str = "N1"
    skus: tuple[str, ...] = (LAMP,)
    breaks: tuple[tuple[str, dict[str, Any]], ...] = ()

    def position(self, style: str) -> Position | None:
        """Where its orders of this style must stand; None: it has none."""
        own = {"orchestration": self.orchestration, "choreography": self.choreography}[style]
        return None if own is None else QUIET | self.at | own

    @property
    def styles(self) -> tuple[str, ...]:
        return tuple(style for style in STYLES if self.position(style) is not None)


def inbox_breaks(receiver: str) -> tuple[str, dict[str, Any]]:
    """The receiver's work is done; that it is done can't be noted, so it counts as failed."""
    return f"{receiver.partition('.')[0]}_inbox", {"receiver": receiver, "state": "done"}


NO_HAND_OVER = ("shipping_shipment", {"state": "handing_over"})
