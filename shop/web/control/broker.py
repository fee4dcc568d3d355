"""What the broker says: how long the queues are, and which workers answer. Threads of their own ask it, so that nobody
who looks waits for a broker that is frozen.

A worker answers between two messages, so it is listened to for a while, and one that has answered lately lives. That
none does is only known after a while; and of a broker that is away nobody knows whose workers live.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from celery import current_app
from django.conf import settings

from shop.base.saying import Seldom
from shop.messaging import brokers
from shop.messaging.sending import crowded_services

logger = logging.getLogger(__name__)
_seldom = Seldom()

QUEUES_EVERY, WORKERS_EVERY = 1.5, 1.0  # s from an answer to the next question, as long as anybody looks
LISTENS = 12.0  # s to workers; calls to a provider that hangs keep one from answering for nearly as long
LIVES = 30.0  # s after its last answer a worker is taken to be there
PATIENCE = 0.12  # s that a page waits for the first answers
HANGS_AFTER = 3.0  # s without an answer, and the broker is taken for away
NOT_LOOKED_AT = 12.0  # s, then nobody was asked meanwhile, and who has not answered may have been there


@dataclass(frozen=True)
class Broker:
    """``answers``: None where that is not known yet. ``queues``: messages in each service's queue. ``workers``: of each
    service, how many have answered lately; None where that can't be said yet."""

    answers: bool | None = None
    queues: Mapping[str, int] = field(default_factory=dict)
    workers: Mapping[str, int | None] = field(default_factory=dict)


class _Question:
    """One that is asked while somebody looks, one at a time. ``ask`` runs in a thread."""

    def __init__(self, name: str, ask: Callable[[], None], every: float) -> None:
        self._name, self._ask, self._every = name, ask, every
        self._next = 0.0
        self.since = 0.0  # when it was asked, if it is just now

    def ask_if_due(self, done: Callable[[bool], None]) -> None:
        if not self.since and time.monotonic() >= self._next:
            self.since = time.monotonic()
            threading.Thread(target=self._run, args=(done,), name=self._name, daemon=True).start()

    def _run(self, done: Callable[[bool], None]) -> None:
        answered = False
        try:
            self._ask()
            answered = True
        except brokers.AWAY as error:
            if _seldom(str(error)):
                logger.warning("The broker can't be asked: %s", error)
        except Exception:
            logger.exception("The broker can't be asked.")
        finally:
            self.since, self._next = 0.0, time.monotonic() + self._every
            done(answered)


class Watch:
    """What is known, and kept fresh while somebody looks."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._looked, self._away = 0.0, False
        self._reached_since = 0.0  # since when it has been asked, and has answered each time
        self._queues: Mapping[str, int] | None = None
        self._answered: dict[str, float] = {}  # by worker: when it last did
        self._of_queues = _Question("queues", self._ask_queues, QUEUES_EVERY)
        self._of_workers = _Question("workers", self._ask_workers, WORKERS_EVERY)

    def look(self) -> Broker:
        """What is known; it waits a moment where nothing is."""
        with self._news:
            now = time.monotonic()
            if now - self._looked > NOT_LOOKED_AT:
                self._queues, self._reached_since = None, now
            self._looked = now
            self._of_queues.ask_if_due(self._reached)
            self._of_workers.ask_if_due(lambda answered: None)
            self._news.wait_for(lambda: self._away or self._knows_enough(), PATIENCE)
            hangs = self._of_queues.since and time.monotonic() - self._of_queues.since > HANGS_AFTER
            if self._away or hangs:
                return Broker(False)
            if self._queues is None:
                return Broker()
            return Broker(True, self._queues, {name: self._alive(name) for name in settings.SERVICES})

    def _alive(self, service: str) -> int | None:
        now = time.monotonic()
        alive = sum(_service_of(name) == service and now - at < LIVES for name, at in self._answered.items())
        return alive if alive or now - self._reached_since > LIVES else None

    def _knows_enough(self) -> bool:
        known = {_service_of(name) for name in self._answered}
        waited = time.monotonic() - self._reached_since > PATIENCE
        return self._queues is not None and (waited or known.issuperset(settings.SERVICES))

    def _ask_queues(self) -> None:
        queues = crowded_services(at_least=0)
        with self._news:
            self._queues = queues

    def _ask_workers(self) -> None:
        current_app.control.broadcast("ping", reply=True, timeout=LISTENS, callback=self._has_answered)

    def _has_answered(self, answer: Mapping[str, Any]) -> None:
        with self._news:
            self._answered.update(dict.fromkeys(answer, time.monotonic()))
            self._news.notify_all()

    def _reached(self, answered: bool) -> None:
        with self._news:
            if not answered:  # who lives could not say so
                self._queues, self._reached_since = None, time.monotonic()
                self._answered.clear()
            self._away = not answered
            self._news.notify_all()


def _service_of(worker: str) -> str:
    """A worker is called after its service: ``payments@host``, ``payments-2@host``."""
    return worker.partition("@")[0].partition("-")[0]


watch = Watch()
