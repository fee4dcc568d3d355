"""Within what time a reaction is expected: of a receiver to an event, of a service to a command.

Declared once for an operation, where its app publishes it (``tasks.py``): it holds for both ways of calling it. What is
silent for longer is an incident (``incidents``).
"""

from __future__ import annotations

from django.conf import settings

_within: dict[str, float] = {}


def expect(name: str, within: float) -> None:
    """Say within how many seconds a receiver or an operation reacts, ``<service>.<function>``."""
    _within[name] = within


def expected_within(name: str) -> float:
    """s from the event, or from the moment an order waits for a command, until there is a reaction, or a failure."""
    return _within.get(name, float(settings.MESSAGING["REACT_WITHIN"]))


def shortest() -> float:
    """s: before that nothing is silent."""
    return min([float(settings.MESSAGING["REACT_WITHIN"]), *_within.values()])
