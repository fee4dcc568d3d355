"""A line a service, and a line a step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from django.conf import settings

from orders.telling.situation import TROUBLE, WAITING
from shop.base.admin.cells import NOTHING
from shop.base.admin.filters import ConfirmedFilter
from shop.base.spans import span
from shop.messaging.outages import outages_of
from shop.web.control.links import List, between, orders
from shop.web.control.numbers import Numbers
from shop.web.control.steps import LATELY, StepTime

NOT_ALL_HAVE_IT = {ConfirmedFilter.parameter_name: "no"}  # as an outbox's list is filtered


class Viewer(Protocol):
    def number(self, count: int, about: List, *, level: str = "", more: str = "") -> Any: ...
    def words(self, text: str, about: List) -> Any: ...
    def in_flower(self, text: str, page: str) -> Any: ...


class Row(NamedTuple):
    """``cells``: (heading, what is shown)."""

    service: str
    level: str
    state: str
    cells: Sequence[tuple[str, Any]]


def rows(viewer: Viewer, numbers: Numbers) -> Sequence[Row]:
    return [
        Row(service, *_state(service, numbers), _cells(viewer, service, numbers))
        for service in settings.SERVICES
    ]


def _state(service: str, numbers: Numbers) -> tuple[str, str]:
    """The worst there is to say of a service, in two words."""
    broker, one = numbers.broker, numbers.boxes.get(service)
    if one is None:
        return TROUBLE, "database away"
    if broker.answers is False:
        return TROUBLE, "broker away"
    if broker.workers.get(service) == 0:
        return TROUBLE, "no worker"
    if one.parked:
        return TROUBLE, "parked messages"
    if one.silent:
        return TROUBLE, "somebody silent"
    if service in numbers.outages:
        return WAITING, "provider down"
    if one.failing:
        return WAITING, "being tried again"
    return "done", "fine"


def _cells(viewer: Viewer, service: str, numbers: Numbers) -> Sequence[tuple[str, Any]]:
    workers, queue = numbers.broker.workers.get(service), numbers.broker.queues.get(service)
    provider = NOTHING
    if outages_of(service):
        provider = f"down for {_since(service, numbers)}" if service in numbers.outages else "answers"
    cells: list[tuple[str, Any]] = [
        ("workers", viewer.in_flower("?" if workers is None else f"{workers}", "workers")),
        ("provider", (provider,)),
        ("queue", viewer.in_flower("?" if queue is None else f"{queue:,}", "broker")),
    ]
    if one := numbers.boxes.get(service):
        on_its_way = List(service, "outbox", NOT_ALL_HAVE_IT)
        cells += [
            (
                "outbox",
                viewer.number(
                    one.unconfirmed,
                    on_its_way,
                    more="+" if one.is_cut else "",
                ),
            ),
            ("oldest there", viewer.words(span(one.oldest), on_its_way) if one.oldest else (NOTHING,)),
            ("failing", _inbox(viewer, service, "failing", one.failing, WAITING)),
            ("parked", _inbox(viewer, service, "parked", one.parked, TROUBLE)),
            ("silent", viewer.number(one.silent, List(service, "incident", {"open": "yes"}), level=TROUBLE)),
            ("dead letters", viewer.number(one.dead, List(service, "deadletter"), level=WAITING)),
        ]
    return cells


def _inbox(viewer: Viewer, service: str, state: str, count: int, level: str) -> Any:
    return viewer.number(count, List(service, "inbox", {"state__exact": state}), level=level)


def _since(service: str, numbers: Numbers) -> str:
    return span(numbers.at - numbers.outages[service].since) if numbers.at else "some time"


class StepTimes(NamedTuple):
    """``number``: p50 and p95 in words. ``p50`` and ``p95``: as parts of the longest of all, up to 100."""

    number: Any
    p50: float
    p95: float
    work: str


class StepRow(NamedTuple):
    """``times``: of each style, where it is known."""

    words: str
    service: str
    times: Sequence[StepTimes | None]


def rows_of_steps(viewer: Viewer, numbers: Numbers) -> Sequence[StepRow]:
    longest = max((one.p95 for one in numbers.steps), default=0.0) or 1.0
    found = {(one.move, one.style): one for one in numbers.steps}
    lately = between("placed_at", numbers.at - LATELY, numbers.at) if numbers.at else {}

    def times(one: StepTime | None) -> StepTimes | None:
        if one is None:
            return None
        return StepTimes(
            viewer.words(f"{_span(one.p50)}, {_span(one.p95)}", orders(style=one.style, **lately)),
            round(100 * one.p50 / longest, 1),
            round(100 * one.p95 / longest, 1),
            f"at work for {_span(one.work)} of it" if one.work is not None else "",
        )

    return [
        StepRow(move.words, move.service, [times(found.get((move, style))) for style in settings.STYLES])
        for move in dict.fromkeys(one.move for one in numbers.steps)
    ]


def _span(seconds: float) -> str:
    return span(timedelta(seconds=seconds))


def open_in(viewer: Viewer, numbers: Numbers, service: str, model: str) -> Any:
    """What of a service's outbox, inbox, dead letters or incidents is open: (number, word); None: not known."""
    one = numbers.boxes.get(service)
    if one is None:
        return None
    found = {
        "Outbox": (one.unconfirmed, NOT_ALL_HAVE_IT, "on its way", ""),
        "Inbox": (one.failing + one.parked, {"state__in": "failing,parked"}, "open", WAITING),
        "DeadLetter": (one.dead, {}, "kept", WAITING),
        "Incident": (one.silent, {"open": "yes"}, "open", TROUBLE),
    }
    count, query, word, level = found[model]
    more = f"{'+' if model == 'Outbox' and one.is_cut else ''} {word}"
    return viewer.number(count, List(service, model.lower(), query), level=level, more=more)
