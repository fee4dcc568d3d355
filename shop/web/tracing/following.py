"""Tells what is new in the timelines, as traces, to whoever takes them: ``OTEL_EXPORTER_OTLP_ENDPOINT``.

Orders pay nothing for it. What was not taken is told again, also after this process was killed: the position up to which
all is told is kept in Redis, and moves on only after it was.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
from collections.abc import Callable, Sequence

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.db.models import Max

from orders.models import TimelineEntry
from shop.web.metrics.position import Position
from shop.web.tracing.spans import Span, told_by

AT_ONCE = 1_000  # rows of the timeline
MOST_BEHIND = 1_000_000  # rows; while nobody takes them for longer, the oldest are left out
EVERY = 1.0  # s
LONGEST = 60.0  # s until it is tried again, while nobody takes them
PATIENCE = 1.0  # s, of Redis

logger = logging.getLogger(__name__)

Take = Callable[[Sequence[Span]], bool]


def lacking() -> str:
    """What must be installed before traces can be told; empty: nothing, or nobody asked for them."""
    if not settings.OTLP_ENDPOINT:
        return ""
    try:
        found = importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ModuleNotFoundError:
        found = None
    return "" if found else (
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: run "
        "`pip install -r requirements-otel.lock`, or unset it."
    )  # fmt: skip


def follow(stop: threading.Event) -> threading.Thread | None:
    """Begin to tell, in a thread of its own, until ``stop``; if somebody takes it."""
    if not settings.OTLP_ENDPOINT:
        return None
    from shop.web.tracing.otlp import Collector  # the extra

    follower = Follower(Collector().take, settings.TRACES_SHARE)
    try:
        follower.begin()  # what happens from here on is told, whatever becomes of this process
    except (DatabaseError, InterfaceError, redis.RedisError) as error:
        logger.warning("Traces begin later: %s", type(error).__name__)
    thread = threading.Thread(target=_follow, args=(follower, stop), name="traces", daemon=True)
    thread.start()
    return thread


class Follower:
    def __init__(self, take: Take, share: float) -> None:
        self._take, self._share = take, share
        self._position = Position(TimelineEntry)

    def begin(self) -> None:
        """Where telling ended when this process, or one before it, ended; else now: what was is history."""
        newest = TimelineEntry.objects.aggregate(newest=Max("id"))["newest"] or 0
        kept = _remembered()
        self._position.counted = newest if kept is None or kept > newest else kept  # more: of other tables
        _remember(self._position.counted)

    def tell(self) -> int | None:
        """Tell the next rows. Returns how many are left; None: nobody took them, they are still to be told."""
        if self._position.counted is None:
            self.begin()
        until = self._position.look()
        first = self._position.counted or 0
        if until - first > MOST_BEHIND:
            logger.error(
                "Traces leave out up to %d events: nobody took them in time.", until - first - MOST_BEHIND
            )
            first = self._position.counted = until - MOST_BEHIND
        if until <= first:
            return 0
        last = min(first + AT_ONCE, until)
        spans = told_by(first, last, self._share)
        if spans and not self._take(spans):
            return None
        self._position.counted = last
        _remember(last)
        return until - last


def _follow(follower: Follower, stop: threading.Event) -> None:
    pause = EVERY
    while not stop.wait(pause):
        try:
            left = follower.tell()
        except Exception:  # whatever it is, what was not told is told later
            logger.exception("Traces are not told just now.")
            left = None
        if left is None:
            pause = min(LONGEST, max(EVERY, pause * 2))
            logger.warning("Traces are kept, and told again in %g s.", pause)
        else:
            pause = 0.0 if left else EVERY
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()


def _remembered() -> int | None:
    """Up to which row all is told. Raises redis.RedisError."""
    with _client() as client:
        kept = client.get(_place())
    return int(kept) if kept else None


def _remember(position: int) -> None:
    try:
        with _client() as client:
            client.set(_place(), position)
    except redis.RedisError as error:
        logger.debug("How far traces are told is not kept just now: %s", error)


def _place() -> str:
    return f"{settings.REDIS_PREFIX}traces"


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
