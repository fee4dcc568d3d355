"""System checks: the table of the process is sound, both styles tell its story, and each way back is open."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise, takewhile
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from orders.edges import commands, reactions
from orders.events import OrderStalled
from orders.process import (
    BACKWARD,
    FORWARD,
    MIRROR,
    OPERATIONS,
    PROCESS,
    REFUSED_BY,
    WISH,
    Move,
    Pivot,
    Step,
    still_to_do,
)
from shipping.events import CancellationRefused
from shop.messaging import subscriptions
from shop.messaging.commands import published
from shop.messaging.events import Event
from shop.messaging.tasks import service_of

Heard = dict[str, set[type[Event]]]
Reacting = dict[type[Event], dict[str, set[type[Event]]]]


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
    expected, undos = _expected(), {step.undo.operation for step in PROCESS if step.undo}
    circling = {
        event for circle in circles() for event in circle
    }  # of these, and of undos, other checks tell
    for operation in heard:
        heard[operation] -= circling - expected.get(operation, set())
    return [
        Error(
            f"In the choreography {operation} must react to {_names(wanted)}; it reacts to {_names(heard[operation])}.",
            hint="See orders/process.py, and @when in that app's choreography.py.",
            id="orders.E001",
        )
        for operation, wanted in expected.items()
        if heard[operation] != wanted and (heard[operation] or operation not in undos)
    ]


@register()
def every_operation_can_be_undone(**kwargs: Any) -> list[CheckMessage]:
    """An order that is refused, or cancelled, would keep what such an operation has done."""
    return [Error(text, hint=hint, id="orders.E003") for text, hint in not_undone(PROCESS)]


def not_undone(process: tuple[Step, ...]) -> Iterator[tuple[str, str]]:
    """(what is wrong, what to do) for each step before the pivot that can't be taken back."""
    before = takewhile(lambda step: not isinstance(step, Pivot), process)
    for step in before:
        if not step.undo and not step.nothing_to_undo:
            yield (
                f"{step.operation} has no undo.",
                f"In orders/process.py give {step.position!r} an undo, or say nothing_to_undo=True.",
            )
        for style in settings.STYLES:
            if step.undo and step.undo.operation not in _reached_back(style):
                app = step.undo.service
                yield (
                    f"{step.undo.operation}, the undo of {step.operation}, can't be reached in style {style}.",
                    f"Publish it as a command, in {app}/tasks.py."
                    if commands(style)
                    else f"Connect it to what is undone before it: @when, in {app}/choreography.py.",
                )


def _reached_back(style: str) -> set[str]:
    """The operations that a refusal or a cancellation leads to."""
    if commands(style):
        return set(published)
    reacting, reached = reactions(style), set[str]()
    waiting: list[type[Event]] = [WISH, *REFUSED_BY]
    while waiting:
        for operation, told in reacting[waiting.pop()].items():
            if operation not in reached:
                reached.add(operation)
                waiting += told
    return reached


@register()
def nothing_goes_in_circles(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"These events lead to one another for ever: {' → '.join(event.__name__ for event in (*circle, circle[0]))}.",
            hint="Let one of the receivers hear another event: see orders/process.py, and @when in choreography.py.",
            id="orders.E004",
        )
        for circle in circles()
    ]


def circles() -> list[tuple[type[Event], ...]]:
    """Events each of which somebody reacts to with the next, and to the last with the first; of each circle once."""
    found: dict[frozenset[type[Event]], tuple[type[Event], ...]] = {}

    def follow(way: tuple[type[Event], ...], reacting: Reacting) -> None:
        following = {event for told in reacting.get(way[-1], {}).values() for event in told}
        for event in sorted(following, key=lambda event: event.__name__):
            if event in way:
                circle = way[way.index(event) :]
                found.setdefault(frozenset(circle), circle)
            else:
                follow((*way, event), reacting)

    for style in settings.STYLES:
        reacting = reactions(style)
        for event in sorted(reacting, key=lambda event: event.__name__):
            follow((event,), reacting)
    return list(found.values())


@register()
def who_commands_hears_and_is_heard(**kwargs: Any) -> list[CheckMessage]:
    """In a style that commands: what it calls must be there, and what turns an order must have a receiver."""
    return [
        Error(text, hint=hint, id=f"orders.{number}")
        for style in settings.STYLES
        if commands(style)
        for number, text, hint in _unled(style)
    ]


def _unled(style: str) -> Iterator[tuple[str, str, str]]:
    """(number of the check, what is wrong, what to do)"""
    undos = {step.undo.operation for step in PROCESS if step.undo}  # of these not_undone tells
    for name in sorted(OPERATIONS - {PROCESS[0].operation} - undos - set(published)):
        hint = f"Publish it in {service_of(name)}/tasks.py: command(services.{name.partition('.')[2]})."
        yield "E005", f"{name} is called in style {style}, and is no command.", hint
    turning: list[type[Event]] = [PROCESS[0].done, WISH, *REFUSED_BY, CancellationRefused, OrderStalled]
    for event in turning:
        if all(sub.noted_in for sub in subscriptions.of(event.__name__, style=style)):
            text = f"Nobody acts on {event.__name__} in style {style}: its orders would stand still."
            yield "E006", text, "Connect a receiver to it, in orders."
    for sub in subscriptions.every():
        if sub.receiver in OPERATIONS and sub.wants(style):
            text = f"{sub.receiver} is called in style {style}, and hears {sub.event.__name__}, too: it is done twice."
            yield "E007", text, "Say in its @when which style it is for."


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
