"""One step of an order, looked at closely: what its event said, what it failed at and where, where its time went, what
led to it and what it led to, and what each service believed after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from orders.models import Order, TimelineEntry
from orders.telling.beliefs import Belief, beliefs
from orders.telling.happenings import SYSTEM, WORDS, Happening
from orders.telling.places import labels, places
from orders.telling.steps import Attempt, attempts
from shop.base.admin.links import may_view
from shop.base.spans import offset, span
from shop.messaging.tables import outbox_of

MOST_TRACES = 20  # of the attempts at a step: those of the last of them; of all only if asked for
MOST_AT_ALL = 500
TRACE = "trace"


@dataclass(frozen=True)
class Stepper:
    """Where in the sequence of steps one stands; ids of events."""

    number: int
    count: int
    previous: UUID | None
    next: UUID | None


@dataclass(frozen=True)
class Details:
    """``payload``: as it is stored, pretty; empty: this person may not read it, or it is not kept any more, as
    ``no_payload`` says. ``waits``: (what, how long). ``attempts``: each with its traceback, if it is kept.
    ``causes``, ``effects``: ids and words. ``task``: its page in Flower. ``places``: (name, address) of
    what its service keeps of the order.
    """

    stepper: Stepper
    entry: TimelineEntry
    happening: Happening
    words: str
    after: str
    by: str
    waits: Sequence[tuple[str, str]]
    payload: str
    no_payload: str
    trace: str
    attempts: Sequence[tuple[Attempt, str]]
    more_attempts: int
    causes: Sequence[tuple[UUID, str]]
    effects: Sequence[tuple[UUID, str]]
    task: str
    places: Sequence[tuple[str, str]]
    beliefs: Sequence[Belief]


def details(
    request: HttpRequest,
    order: Order,
    found: Sequence[Happening],
    timeline: Sequence[TimelineEntry],
    wanted: str,
) -> Details | None:
    """``wanted``: the id of an event, or the number of a step. None: there is no such step."""
    steps = [one for one in found if one.told_by]
    index = _index(steps, wanted)
    if index is None:
        return None
    one, ids = steps[index], [None, *(_id(step) for step in steps), None]
    entry = (
        next((failure for failure in one.failures if str(failure.event_id) == wanted), None) or one.told_by
    )
    assert entry  # noqa: S101 (tells mypy; who calls has found one)
    shown_all = "attempts" in request.GET
    tried = [*one.failures][-(MOST_AT_ALL if shown_all else MOST_TRACES) :]
    payloads = _payloads(request, order, [entry, *tried])
    payload = dict(payloads.get(entry.event_id, {}))
    trace = str(payload.pop(TRACE, "") or "")
    words = {each.entry.event_id: each.words for each in found if each.entry}
    return Details(
        Stepper(index + 1, len(steps), ids[index], ids[index + 2]),
        entry,
        one,
        WORDS.get(entry.event, entry.event) if entry is not one.entry else one.words,
        offset(entry.at - order.placed_at),
        "the system" if one.by == SYSTEM or entry is not one.entry else f"the {one.by}",
        _waits(entry, one),
        json.dumps(payload, indent=2, ensure_ascii=False) if payload else "",
        "" if payload else _why_not(request, entry),
        trace,
        [
            (attempt, str(payloads.get(attempt.event_id, {}).get(TRACE, "") or ""))
            for attempt in attempts(tried, order.placed_at)
        ],
        len(one.failures) - len(tried),
        [(cause, words[cause]) for cause in one.causes if cause in words],
        [(effect, words[effect]) for effect in _effects(found, entry)],
        f"{settings.FLOWER_URL}/task/{entry.task}" if settings.FLOWER_URL and entry.task else "",
        [*places(request, order, one.service), *labels(request, order, one.parcels)],
        beliefs(timeline, entry.event_id),
    )


def _index(steps: Sequence[Happening], wanted: str) -> int | None:
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 6:
        return int(wanted) - 1 if 0 < int(wanted) <= len(steps) else None
    for index, one in enumerate(steps):
        told = [one.entry, *one.failures] if one.entry else one.failures
        if any(str(entry.event_id) == wanted for entry in told):
            return index
    return None


def _id(one: Happening) -> UUID | None:
    return one.told_by.event_id if one.told_by else None


def _effects(found: Iterable[Happening], entry: TimelineEntry) -> list[UUID]:
    return [one.entry.event_id for one in found if one.entry and entry.event_id in one.causes]


def _waits(entry: TimelineEntry, one: Happening) -> list[tuple[str, str]]:
    """How long it took, and where the time went, as far as it is known."""
    took = [("in all", span(one.took))] if one.took and entry is one.entry else []
    if not entry.began_at:
        return took
    sent, outside = entry.sent_at, timedelta(seconds=entry.outside or 0)
    since = one.began if entry is one.entry and not one.failures else None
    found: list[tuple[str, timedelta | None]] = [
        ("in the outbox", sent - since if sent and since else None),
        ("in the queue", entry.began_at - sent if sent else None),
        ("at work", entry.at - entry.began_at - outside),
        ("at the provider", outside or None),
    ]
    return took + [
        (what, span(length)) for what, length in found if length is not None and length >= timedelta(0)
    ]


def _payloads(
    request: HttpRequest, order: Order, entries: Sequence[TimelineEntry]
) -> Mapping[UUID, Mapping[str, Any]]:
    """What these events said, by id, as far as this person may read the outboxes. One statement for each service."""
    by_service: dict[str, set[UUID]] = {}
    for entry in entries:
        if entry.service in settings.SERVICES and may_view(request, entry.service, "outbox"):
            by_service.setdefault(entry.service, set()).add(entry.event_id)
    found: dict[UUID, Mapping[str, Any]] = {}
    for service, ids in by_service.items():
        of_order = outbox_of(service)._default_manager.filter(order_id=order.uuid)
        found |= dict(of_order.filter(event_id__in=ids).values_list("event_id", "payload"))
    return found


def _why_not(request: HttpRequest, entry: TimelineEntry) -> str:
    if not may_view(request, entry.service, "outbox"):
        return f"You may not read the outbox of {entry.service}."
    return f"It is not kept any more: events are, for {settings.RETENTION['MESSAGES']} days."
