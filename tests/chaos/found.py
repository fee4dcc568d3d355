"""What a figure has come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shop.base.terminal import Terminal


@dataclass
class Found:
    """``numbers``: for the file. ``missed``: a sentence for each goal that was not reached."""

    numbers: dict[str, Any] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def goal(self, what: str, took: float, goal: float) -> None:
        """Say it, and note whether it took too long."""
        level = "trouble" if took > goal else "fine"
        Terminal().say(f"{what}: ", (f"{took:.1f} s", level), f" (goal: {goal:g} s)")
        if took > goal:
            self.missed.append(f"{what}: {took:.1f} s instead of {goal:g} s")

    def must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.missed.append(otherwise)


def whole(state: Mapping[str, Any]) -> list[str]:
    """What is wrong in the end, whichever figure it was: no order may be lost, parked or doubled."""
    found = [f"audit: {sentence}" for sentence in state["audit"]]
    if state["orders"] < state["placed"]:
        found.append(f"{state['placed'] - state['orders']} of {state['placed']} orders are lost")
    if state["unended"]:
        found.append(f"{state['unended']} orders have not ended")
    if state["parked"]:
        found.append(f"{state['parked']} orders or deliveries are parked")
    return found
