"""What a connected relay does, round by round: what is due at once, what is to be noted after a moment."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from django.conf import settings
from kombu import Producer

from shop.messaging.confirming import Confirming
from shop.messaging.gathering import Gathering
from shop.messaging.relay import relay_once
from shop.messaging.sending import waiting
from shop.messaging.sweeps import Sweeper
from shop.messaging.tables import NEWS, services

MERGED_FOR = (
    0.25  # s for which what was placed waits for more while messages wait in the queues: so it becomes sets
)
FEW = 10  # rows sent in such a time: with so few nobody needs to ask whether messages wait
BUSY = (
    4  # times as long are events gathered in a busy shop: of each order more of them are then noted at once
)


class Rounds:
    """``gathers``: makes this relay the one that gathers and confirms, if there is none."""

    def __init__(self, producer: Producer, gathers: Callable[[], bool]) -> None:
        self._producer, self._gathers, self._chosen = producer, gathers, False
        self._gathering, self._sweeper = Gathering(producer), Sweeper()
        self._confirming = Confirming(self._gathering.read_until)
        self._due: set[str] = set()  # services of which rows are to be sent, or may be
        self._news: set[str] = set()  # services that have published what is to be noted, or may have
        self._held_back = self._next_look = self._next_gathering = 0.0
        self._lately: deque[tuple[float, int]] = deque()  # when rows were sent, and how many

    def patience(self) -> float:
        """For how many seconds to listen until the next round."""
        if self._due:
            return min(self._held_back, MERGED_FOR / 10)
        until = min(self._next_look, self._next_gathering) if self._news else self._next_look
        return max(0.0, until - time.monotonic())

    def round(self, heard: set[str]) -> None:
        """One round, after what was heard: services, or ``NEWS`` and a service. Now and then all are looked at."""
        now = time.monotonic()
        looking = now >= self._next_look
        if looking:
            heard = {*services(), *heard}
            self._next_look = now + settings.MESSAGING["POLL_EVERY"]
        self._due |= heard & set(services())
        if heard and not self._news:
            self._next_gathering = max(self._next_gathering, now + settings.MESSAGING["GATHER_FOR"])
        self._news |= {name.removeprefix(NEWS) for name in heard}
        self._send_due(now, looking)
        if looking and not self._chosen:
            self._chosen = self._gathers()
        if self._chosen:
            self._gather_and_confirm(now, looking)
        else:
            self._news.clear()
        self._sweeper.sweep()

    def _send_due(self, now: float, looking: bool) -> None:
        crowded = bool(self._due) and self._is_crowded(now)
        self._held_back = MERGED_FOR if crowded else 0.0
        # Orders' own come first: so a cancellation overtakes the next step.
        in_turn = [service for service in services() if service in self._due]
        sent = {
            name: relay_once(name, self._producer, held_back=self._held_back, retries=looking)
            for name in in_turn
        }
        if rows := sum(sent.values()):
            self._lately.append((now, rows))
        if not crowded:
            self._due = {name for name, rows in sent.items() if rows >= settings.MESSAGING["CLAIM_SIZE"]}

    def _is_crowded(self, now: float) -> bool:
        """Whether messages wait. Only who has sent many rows just now looks."""
        while self._lately and self._lately[0][0] < now - MERGED_FOR:
            self._lately.popleft()
        if sum(rows for _, rows in self._lately) <= FEW:
            return False
        return any(waiting(service, self._producer) for service in services())

    def _gather_and_confirm(self, now: float, looking: bool) -> None:
        if self._news and now >= self._next_gathering:
            self._news = self._gathering.gather(self._news)
            moment = settings.MESSAGING["GATHER_FOR"] * (1 if self._gathering.quiet else BUSY)
            self._next_gathering = time.monotonic() + moment
        if looking and sum(self._confirming.look(service) for service in services()):  # all of them look
            self._next_look = now
