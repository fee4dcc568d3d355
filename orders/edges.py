"""Who tells whom what, in each style: events that somebody acts on or takes note of, and the commands of the process.

Derived from the table of the process and from what ``@when`` has connected: the map, the catalogue and the checks all
draw from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orders.process import MIRROR, OPERATIONS, PROCESS, REFUSED_BY, WISH, Move, Step, still_to_do
from shipping.events import CancellationRefused
from shop.messaging import subscriptions
from shop.messaging.events import Event, registry
from shop.messaging.subscriptions import Subscription
from shop.messaging.tables import services

ANY_SERVICE = "any service"
COMMANDS = PROCESS[0].service  # who commands, where a style does


@dataclass(frozen=True)
class Edge:
    """``source`` tells ``target``; ``receiver`` is what it then does (``<service>.<function>``).

    ``event``: what it tells; None: it commands. ``move``: what is commanded. ``noted``: nobody acts on the event, it is
    only noted. ``tells``: the events by which it is known how often it comes to that, published by ``counted``.
    ``noting``: receivers that note the event besides, told once for each event.
    """

    source: str
    target: str
    receiver: str
    event: type[Event] | None = None
    move: Move | None = None
    noted: bool = False
    tells: tuple[type[Event], ...] = ()
    noting: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.event.__name__ if self.event else self.function

    @property
    def function(self) -> str:
        return self.receiver.partition(".")[2]


class Part(NamedTuple):
    """Of the process: the way forward, the way back, and what is about neither. ``kind`` is a word for the colour."""

    kind: str
    title: str
    edges: Sequence[Edge]


def parts(style: str) -> list[Part]:
    """All edges of a style, in the sequence of the process."""
    forward = [edge for step in PROCESS for edge in (*_commanded(step, style), *_told(step.done, style))]
    back = list(_back(style))
    known = {edge.event for edge in (*forward, *back)}
    others = [event for _, event in sorted(registry.items()) if event not in known]
    return [
        Part("forward", "Forward", forward),
        Part("undo", "Refused, or cancelled: the way back", back),
        Part(
            "care",
            "When it stands still, breaks, or can't go back",
            [edge for event in others for edge in _told(event, style)],
        ),
    ]


def edges(style: str) -> list[Edge]:
    return [edge for part in parts(style) for edge in part.edges]


def commands(style: str) -> bool:
    """Whether the style has operations called by their names; else receivers of these names hear of their turns."""
    conducted = (sub for sub in subscriptions.every() if sub.reaction.__module__.endswith(".orchestration"))
    return any(sub.wants(style) for sub in conducted)


def reactions(style: str) -> dict[type[Event], dict[str, set[type[Event]]]]:
    """To which events which operations react, and what each may then publish."""
    return {
        event: {
            sub.receiver: published_by(sub.receiver)
            for sub in subscriptions.of(name, style=style)
            if sub.receiver in OPERATIONS
        }
        for name, event in registry.items()
    }


def entering(move: Move) -> list[type[Event]]:
    """The events with which undoing begins at this move: a wish, or refusals."""
    refusals = [event for event, position in REFUSED_BY.items() if still_to_do(position)[0] is move]
    return [*([WISH] if move is MIRROR[0] else ()), *reversed(refusals)]


def published_by(operation: str) -> set[type[Event]]:
    """What an operation of the process may answer with."""
    moves = [move for move in (*PROCESS, *MIRROR) if move.operation == operation]
    found: set[type[Event]] = {move.done for move in moves}
    found |= {
        CancellationRefused for move in moves if move is MIRROR[0]
    }  # it is for the pivot's service to decide
    return found | {move.refused for move in moves if isinstance(move, Step) and move.refused}


def source_of(event: type[Event]) -> str:
    return event.owner() if event.owner() in services() else ANY_SERVICE


def _back(style: str) -> Iterator[Edge]:
    for move in MIRROR:
        for event in entering(move):
            yield from _told(event, style)
        yield from _commanded(move, style)
        yield from _told(move.done, style)


def _commanded(move: Move, style: str) -> Iterator[Edge]:
    if commands(style) and move is not PROCESS[0]:
        tells = tuple(sorted(published_by(move.operation), key=lambda event: event.__name__))
        yield Edge(COMMANDS, move.service, move.operation, move=move, tells=tells)


def _told(event: type[Event], style: str) -> Iterator[Edge]:
    """First who acts on it; if nobody does, who notes it."""
    heard = subscriptions.of(event.__name__, style=style)
    acting = [sub for sub in heard if not sub.noted_in]
    noting = [sub for sub in heard if sub.noted_in]
    for number, sub in enumerate(acting):
        yield _edge(sub, noting=() if number else tuple(one.receiver for one in noting))
    if not acting:
        for sub in noting:
            yield _edge(sub, noted=True)


def _edge(sub: Subscription, *, noted: bool = False, noting: tuple[str, ...] = ()) -> Edge:
    return Edge(
        source_of(sub.event),
        sub.service,
        sub.receiver,
        sub.event,
        noted=noted,
        tells=(sub.event,),
        noting=noting,
    )
