"""What the broker says: how long the queues are, and which workers answer. It is asked by a thread of its own, so that
nobody who looks waits for a broker that is frozen.

A worker answers between two messages, so one that has answered lately lives. That none answers is only known after a
while; and of a broker that is away nobody knows whose workers live.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from celery import current_app
from django.conf import settings

from shop.messaging import brokers
from shop.messaging.sending import crowded_services
from shop.web.health import STUCK_AFTER

logger = logging.getLogger(__name__)

EVERY = 3.0  # s between two questions, as long as anybody looks
ANSWERS_WITHIN = 0.7  # s
PATIENCE = 0.25  # s that a page waits for the first answers
HANGS_AFTER = 3.0  # s without an answer, and the broker is taken for away


@dataclass(frozen=True)
class Broker:
    """``answers``: None where that is not known yet. ``queues``: messages in each service's queue. ``workers``: of each
    service, how many have answered lately; None where that can't be said yet."""

    answers: bool | None = None
    queues: Mapping[str, int] = field(default_factory=dict)
    workers: Mapping[str, int | None] = field(default_factory=dict)


class Watch:
    """Asks while somebody looks, one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._asking_since = 0.0  # 0: nobody asks
        self._asked = 0.0
        self._first_asked = 0.0  # of an unbroken row of questions that the broker took
        self._away = False
        self._queues: Mapping[str, int] | None = None
        self._answered: dict[str, float] = {}  # by worker: when it last did

    def look(self) -> Broker:
        """What is known; it waits a moment where nothing is."""
        with self._news:
            self._ask_if_due()
            self._news.wait_for(lambda: not self._asking_since or self._knows_enough(), PATIENCE)
            now = time.monotonic()
            if self._away or (self._asking_since and now - self._asking_since > HANGS_AFTER):
                return Broker(False)
            if self._queues is None:
                return Broker()
            return Broker(True, self._queues, {name: self._alive(name, now) for name in settings.SERVICES})

    def _alive(self, service: str, now: float) -> int | None:
        alive = sum(
            _service_of(name) == service and now - at < STUCK_AFTER for name, at in self._answered.items()
        )
        return alive if alive or now - self._first_asked > STUCK_AFTER else None

    def _knows_enough(self) -> bool:
        known = {_service_of(name) for name in self._answered}
        return self._queues is not None and known.issuperset(settings.SERVICES)

    def _ask_if_due(self) -> None:
        now = time.monotonic()
        if self._asking_since or now - self._asked < EVERY:
            return
        if now - self._asked > STUCK_AFTER:  # nobody has looked meanwhile, so nobody was asked
            self._first_asked, self._queues = now, None
            self._answered.clear()
        self._asking_since = now
        threading.Thread(target=self._ask, name="broker-watch", daemon=True).start()

    def _ask(self) -> None:
        queues: Mapping[str, int] | None = None
        try:
            queues = crowded_services(at_least=0)
            with self._news:
                self._queues, self._away = queues, False
            current_app.control.broadcast(
                "ping", reply=True, timeout=ANSWERS_WITHIN, callback=self._has_answered
            )
        except brokers.AWAY as error:
            queues = None
            logger.warning("The broker can't be asked: %s", error)
        except Exception:
            queues = None
            logger.exception("The broker can't be asked.")
        finally:
            with self._news:
                self._asking_since, self._asked = 0.0, time.monotonic()
                self._queues, self._away = queues, queues is None
                if self._away:  # whoever lives could not say so
                    self._answered.clear()
                    self._first_asked = self._asked
                self._news.notify_all()

    def _has_answered(self, answer: Mapping[str, Any]) -> None:
        with self._news:
            self._answered.update(dict.fromkeys(answer, time.monotonic()))
            self._news.notify_all()


def _service_of(worker: str) -> str:
    """A worker is called after its service: ``payments@host``, ``payments-2@host``."""
    return worker.partition("@")[0].partition("-")[0]


watch = Watch()
