"""What is told of an edge, in words, and where more about it is: the same for the drawing and the list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.http import HttpRequest

from orders.edges import Edge
from orders.models import Saga
from shop.base.admin.links import list_of, may_view
from shop.messaging.models import AbstractInbox
from shop.messaging.tables import services
from shop.web.map.traffic import Load, Traffic


class Trouble(NamedTuple):
    """``level``: a word for the colour. ``address``: of the list behind it; empty where this person may not look."""

    level: str
    text: str
    address: str


@dataclass(frozen=True)
class Facts:
    edge: Edge
    load: Load
    rate: str
    rate_address: str
    troubles: tuple[Trouble, ...]

    @property
    def level(self) -> str:
        return self.load.level

    @property
    def told(self) -> str:
        """All of it in one sentence, for who can't see the drawing."""
        edge = self.edge
        verb = "commands" if edge.move else "tells"
        does = "notes it" if edge.noted else f"does {edge.function}"
        what = edge.function if edge.move else f"{edge.name}, which {does}"
        wrong = ", ".join(trouble.text for trouble in self.troubles)
        return (
            f"{edge.source} {verb} {edge.target}: {what}; {self.rate} a minute{f'; {wrong}' if wrong else ''}"
        )


def facts(request: HttpRequest, edge: Edge, style: str, found: Traffic) -> Facts:
    load = found.on(edge, style)
    return Facts(
        edge,
        load,
        _rate(load.rate),
        _events(request, edge, style),
        tuple(_troubles(request, edge, style, load)),
    )


def _rate(rate: float | None) -> str:
    if rate is None:
        return "unknown"
    return f"{rate:,.0f}" if rate >= 10 or not rate else f"{rate:.1f}"


def _events(request: HttpRequest, edge: Edge, style: str) -> str:
    """The list of what was told; of a command, of what answers it."""
    service = edge.move.service if edge.move else edge.source
    if service not in services() or not may_view(request, service, "outbox"):
        return ""
    return list_of(
        service, "outbox", type=(edge.move.done if edge.move else edge.tells[0]).__name__, style=style
    )


def _troubles(request: HttpRequest, edge: Edge, style: str, load: Load) -> Iterator[Trouble]:
    for level, words, counts, state, attention in (
        ("bad", "parked", load.parked, AbstractInbox.State.PARKED, Saga.State.PARKED),
        ("late", "retrying", load.retrying, AbstractInbox.State.FAILING, "retrying"),
    ):
        for service, count in counts.items():
            if not count:
                continue
            address = ""
            if edge.move and may_view(request, service, "order"):
                address = list_of(service, "order", attention=attention, style=style)
            elif not edge.move and may_view(request, service, "inbox"):
                address = list_of(service, "inbox", type=edge.name, state__exact=state)
            yield Trouble(level, f"{count:,} {words}", address)
    if load.silent:
        owner = edge.source if edge.source in services() else edge.target
        address = (
            list_of(owner, "incident", open="yes", style=style)
            if may_view(request, owner, "incident")
            else ""
        )
        yield Trouble("bad", f"{load.silent:,} silent", address)
