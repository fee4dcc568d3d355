"""System checks: that the table of the process is sound, and that the services' choreography tells the same story."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from django.core.checks import CheckMessage, Error, register

from orders.process import (
    BACKWARD,
    FORWARD,
    MIRROR,
    PROCESS,
    REFUSED_BY,
    WISH,
    Move,
    Pivot,
    Step,
    still_to_do,
)
from shop.messaging import subscriptions
from shop.messaging.events import Event

Heard = dict[str, set[type[Event]]]


@register()
def the_process_is_sound(**kwargs: Any) -> list[CheckMessage]:
    hint = "See orders/process.py."
    return [Error(text, hint=hint, id="orders.E002") for text in flaws(PROCESS, (*FORWARD, *BACKWARD))]


def flaws(process: tuple[Step, ...], positions: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with a table of steps."""
    moves = [*process, *(step.undo for step in process if step.undo)]
    for what, count in Counter([*positions, *(move.done.__name__ for move in moves)]).items():
        if count > 1:
            yield f"{what} stands for two places in the process."
    pivots = [index for index, step in enumerate(process) if isinstance(step, Pivot)]
    if len(pivots) != 1:
        yield f"The process has {len(pivots)} pivots; it needs one."
        return
    for step in process[pivots[0] :]:
        if step.undo or step.refused:
            yield f"“{step.position}” can be undone or refused, though the pivot is past."


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
    """What each operation has to react to."""
    expected: Heard = defaultdict(set)
    for step, following in pairwise(PROCESS):
        expected[following.operation].update(following.after or (step.done,))
    for event, move in _back():
        expected[move.operation].add(event)
    return expected


def _back() -> Iterator[tuple[type[Event], Move]]:
    yield WISH, MIRROR[0]
    yield from ((undone.done, following) for undone, following in pairwise(MIRROR))
    yield from ((refusal, still_to_do(position)[0]) for refusal, position in REFUSED_BY.items())


def _names(events: set[type[Event]]) -> str:
    return " and ".join(sorted(event.__name__ for event in events)) or "nothing"
