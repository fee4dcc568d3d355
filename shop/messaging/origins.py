"""What led to an event, and where its time went: it carries both, so that an order's page can draw one from the other.

Whoever works on a message says so with ``at_work``; what is published meanwhile is told what led to it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any
from uuid import UUID

import msgspec
from celery import current_task
from celery.signals import before_task_publish
from msgspec import Meta

LATEST = 2.0**32  # Unix s that anybody takes for a time
SENT = "sent"  # the header of a message that tells when it was sent, in Unix s


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """What led to an event, and where its time went. No cause: a request, or the clock. No task: a relay, a request or a
    command. Each moment is by the clock of whoever noted it."""

    cause: Annotated[UUID | None, Meta(description="The event that this one follows from.")] = None
    task: Annotated[UUID | None, Meta(description="In which it was published, as Flower has it.")] = None
    sent: Annotated[float | None, Meta(description="When that task's message was sent, in Unix s.")] = None
    began: Annotated[float | None, Meta(description="When the work on it began, in Unix s.")] = None
    outside: Annotated[float, Meta(description="s in which a provider was waited for.")] = 0.0
    request: Annotated[str | None, Meta(description="The id of the HTTP request it all began with.")] = None


class _Work:
    def __init__(self, causes: Mapping[UUID, UUID], requests: Mapping[UUID, str]) -> None:
        self.causes, self.requests = dict(causes), requests  # by order
        self.task, self.sent = _message()
        self.began, self.outside = round(time.time(), 4), 0.0


_work: ContextVar[_Work | None] = ContextVar("work", default=None)
_request: ContextVar[str | Mapping[UUID, str] | None] = ContextVar("request", default=None)


@contextmanager
def at_work(causes: Mapping[UUID, UUID], requests: Mapping[UUID, str] | None = None) -> Iterator[None]:
    """In this block, work is done on messages about orders. By order, ``causes``: the event it follows from;
    ``requests``: the id of the request that this event goes back to."""
    token = _work.set(_Work(causes, requests or {}))
    try:
        yield
    finally:
        _work.reset(token)


@contextmanager
def requested_in(request: str | Mapping[UUID, str]) -> Iterator[None]:
    """In this block, a request is answered; or several, by order, where one thread does it for others."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def request() -> str | None:
    """The id of the request that this thread answers now."""
    found = _request.get()
    return found if isinstance(found, str) else None


def request_of(order: UUID) -> str | None:
    """The id of the request that what is done now for this order goes back to."""
    if work := _work.get():
        return work.requests.get(order)
    found = _request.get()
    return found if found is None or isinstance(found, str) else found.get(order)


@contextmanager
def waiting_outside() -> Iterator[None]:
    """In this block, nothing is done but to wait for a provider."""
    began = time.monotonic()
    try:
        yield
    finally:
        if work := _work.get():
            work.outside += time.monotonic() - began


def origin(order: UUID) -> Origin | None:
    """Of an event of this order that is published now."""
    work, request = _work.get(), request_of(order)
    if not work:
        return Origin(request=request) if request else None
    return Origin(work.causes.get(order), work.task, work.sent, work.began, round(work.outside, 4), request)


def _message() -> tuple[UUID | None, float | None]:
    """The id of the task that runs here, and when it was sent. Of a stranger's message neither is sure."""
    request = current_task.request if current_task else None
    if request is None:
        return None, None
    try:
        task = UUID(request.id) if request.id else None
    except ValueError:
        task = None
    sent = request.get(SENT)
    return task, sent if isinstance(sent, int | float) and 0 < sent < LATEST else None


def led_to(published: Iterable[tuple[UUID, UUID]]) -> None:
    """(order, event) that were published: what this work leads to from here on follows from them."""
    if work := _work.get():
        work.causes.update(published)


def cause(order: UUID) -> UUID | None:
    """What is done now for this order follows from this event."""
    work = _work.get()
    return work.causes.get(order) if work else None


@before_task_publish.connect
def note_when_sent(headers: dict[str, Any], **kwargs: Any) -> None:
    """Of what Celery itself sends; ``sending.post`` does the same."""
    headers[SENT] = round(time.time(), 4)
