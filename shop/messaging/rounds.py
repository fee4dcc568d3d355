"""What a connected relay does, round by round: what is due at once, what is to be noted after a moment."""

from __future__ import annotations

import time
from collections import deque

from django.conf import settings
from kombu import Producer

from shop.messaging.confirming import Confirming
from shop.messaging.gathering import Gathering
from shop.messaging.given_up import GivenUp
from shop.messaging.incidents import look_for_silence
from shop.messaging.leading import Leading, leads_in
from shop.messaging.reach import only_holding_up, only_losing, within_reach
from shop.messaging.relay import relay_once
from shop.messaging.sending import waiting
from shop.messaging.sweeps import Sweeper
from shop.messaging.tables import services

MERGED_FOR = (
    0.25  # s for which what was placed waits for more while messages wait in the queues: so it becomes sets
)
FEW = 10  # rows sent in such a time: with so few nobody needs to ask whether messages wait
BUSY = (
    4  # times as long are events gathered in a busy shop: of each order more of them are then noted at once
)
FEW_EVENTS = 100  # gathered at once: the shop is quiet
LIVELY = 2.0  # s after the last event was heard of for which more are expected; longer than a row can be late


class Rounds:
    """``leading``: whether this relay is the one that gathers and confirms."""

    def __init__(self, producer: Producer, leading: Leading) -> None:
        self._producer, self._leading = producer, leading
        self._gathering, self._sweeper = Gathering(producer), Sweeper()
        self._confirming = Confirming(self._gathering.read_until)
        self._given_up = GivenUp(producer)
        self._due: set[str] = set()  # services of which rows are to be sent, or may be
        self._held_back = self._next_look = self._next_listen = 0.0
        self._next_gathering = self._expected_since = self._pause = self._lively_until = 0.0
        self._lately: deque[tuple[float, int]] = deque()  # when rows were sent, and how many

    def patience(self) -> float:
        """For how many seconds to listen until the next round."""
        if self._due:
            return min(self._held_back, MERGED_FOR / 10)
        now = time.monotonic()
        gathers = self._leading.leads and now < self._lively_until
        until = min(self._next_look, self._next_gathering) if gathers else self._next_look
        return max(0.0, until - now)

    def round(self, heard: set[str]) -> None:
        """One round, after what was heard: services of which rows are due. Now and then all are looked at."""
        now = time.monotonic()
        looking = now >= self._next_look
        if heard:
            self._expect_events(now)
        if looking:
            heard = {*within_reach(services()), *heard}
            self._next_look = now + settings.MESSAGING["POLL_EVERY"]
        self._due |= heard
        self._send_due(now, looking)
        if looking:
            with only_losing(leads_in()):
                self._leading.look()
        if self._leading.leads:
            self._gather_and_confirm(now, looking)
            self._given_up.keep(within_reach(services()))
        self._sweeper.sweep()

    def _send_due(self, now: float, looking: bool) -> None:
        crowded = bool(self._due) and self._is_crowded(now)
        self._held_back = MERGED_FOR if crowded else 0.0
        # Orders' own come first: so a cancellation overtakes the next step.
        in_turn = [service for service in services() if service in self._due]
        sent = dict.fromkeys(in_turn, 0)
        for name in in_turn:
            with only_holding_up(name):
                sent[name] = relay_once(
                    name,
                    self._producer,
                    held_back=self._held_back,
                    retries=looking,
                    confirms=self._leading.is_current,
                )
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

    def _expect_events(self, now: float) -> None:
        """What is placed now is noted when most of it has happened; what came before it does not wait for long."""
        moment = settings.MESSAGING["GATHER_FOR"]
        self._expected_since = self._expected_since or now
        self._next_gathering = min(now + moment, self._expected_since + BUSY * moment)
        self._pause, self._lively_until = moment, now + LIVELY

    def _gather_and_confirm(self, now: float, looking: bool) -> None:
        if looking or self._next_gathering <= now < self._lively_until:
            left = self._gathering.gather(within_reach(services()))
            moment, found = settings.MESSAGING["GATHER_FOR"], self._gathering.found
            if left or found:
                self._lively_until = now + LIVELY
                self._pause = moment * (1 if found < FEW_EVENTS else BUSY)
            else:
                self._pause = min(max(moment, 2 * self._pause), LIVELY)
            self._next_gathering, self._expected_since = time.monotonic() + self._pause, 0.0
        if looking and self._confirm():
            self._next_look = now
        if now >= self._next_listen:
            self._next_listen = now + settings.MESSAGING["RESEND_AFTER"]
            for service in within_reach(services()):
                with only_holding_up(service):
                    look_for_silence(service, self._gathering.read_until(service))

    def _confirm(self) -> bool:
        """Whether more of it is waiting."""
        more = False
        for service in within_reach(services()):
            with only_holding_up(service):
                more |= self._confirming.look(service)
        return more
