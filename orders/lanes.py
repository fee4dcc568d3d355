"""How far an order is, drawn as two lanes: the steps of the process, and what undoes them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from orders.models import Saga, TimelineEntry
from orders.process import BACKWARD, FORWARD, MIRROR, PROCESS, UNDONE_BY


def steps_reached(saga: Saga, timeline: Iterable[TimelineEntry]) -> list[tuple[str, bool]]:
    """(words, reached) for each step. One that the step behind it does not wait for may have been overtaken."""
    events = {entry.event for entry in timeline}
    reached = FORWARD.index(saga.step)
    overtaken = {step.position for step, behind in pairwise(PROCESS) if behind.after}
    return [
        (step.words, index <= reached and (step.position not in overtaken or step.done.__name__ in events))
        for index, step in enumerate(PROCESS)
    ]


def steps_undone(saga: Saga, timeline: Iterable[TimelineEntry]) -> list[tuple[str, str]]:
    """(words, done | skipped | ahead) for each position of the mirror; a refusal enters it where it happened."""
    if not saga.undo:
        return []
    events = {entry.event for entry in timeline}
    told = {position for event, position in UNDONE_BY.items() if event.__name__ in events} | {saga.undo}
    reached = BACKWARD.index(saga.undo)
    words = ["undo begun", *(move.words for move in MIRROR)]
    return [
        (words[index - 1], "ahead" if index > reached else "done" if position in told else "skipped")
        for index, position in enumerate(BACKWARD)
        if position
    ]
