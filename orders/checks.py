"""A system check: that the services' choreography and the table of the process tell the same story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from django.core.checks import CheckMessage, Error, register

from orders.process import MIRROR, PROCESS, REFUSED_BY, WISH, Move, Pivot, left
from shop.messaging import subscriptions
from shop.messaging.events import Event

Heard = dict[str, set[type[Event]]]


@register()
def the_choreography_follows_the_process(**kwargs: Any) -> list[CheckMessage]:
    """A step that reacts to the wrong event would be left out, or come too early, in one style only."""
    heard: Heard = defaultdict(set)
    for subscription in subscriptions.every():
        if subscription.reaction.__module__.endswith(".choreography"):
            heard[subscription.receiver].add(subscription.event)
    return [
        Error(
            f"In the choreography {operation} must react to {_names(wanted)}; it reacts to {_names(heard[operation])}.",
            hint="See orders/process.py, and @when in that app's choreography.py.",
            id="orders.E001",
        )
        for operation, wanted in _expected().items()
        if heard[operation] != wanted
    ]


def _expected() -> Heard:
    """What each operation has to react to. After the pivot nothing is refused, and the steps need not wait in line."""
    expected: Heard = defaultdict(set)
    for step, following in pairwise(PROCESS):
        expected[following.operation].add(step.done)
        if isinstance(following, Pivot):
            break
    for event, move in _back():
        expected[move.operation].add(event)
    return expected


def _back() -> Iterator[tuple[type[Event], Move]]:
    yield WISH, MIRROR[0]
    yield from ((undone.done, following) for undone, following in pairwise(MIRROR))
    yield from ((refusal, left(position)[0]) for refusal, position in REFUSED_BY.items())


def _names(events: set[type[Event]]) -> str:
    return " and ".join(sorted(event.__name__ for event in events)) or "nothing"
