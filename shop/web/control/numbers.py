"""All numbers of the control room at one moment. They are taken once for all who look, and no more often than they are
worth: a busy database is asked less."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from orders.admission import Line, door
from orders.models import Order
from orders.telling.situation import Elsewhere
from orders.webhooks.waiting import overdue
from shop.messaging import leading
from shop.messaging.incidents import orders_with_incidents
from shop.messaging.outages import Outage, outages
from shop.messaging.rows import now_in
from shop.messaging.tables import services
from shop.web.control.boxes import Boxes, Silent, boxes, silent_edges
from shop.web.control.broker import Broker, watch
from shop.web.control.flight import Flight, flight
from shop.web.control.flow import Flow, flow
from shop.web.control.steps import LATELY, StepTime, step_times

logger = logging.getLogger(__name__)

T = TypeVar("T")

GOOD_FOR = 2.0  # s
SHARE = 0.1  # of a database's connection that is used at the most: what took 1 s is good for 10


@dataclass
class Numbers:
    """``missing``: a sentence for each thing that could not be asked; what it would have told is None, or left out.
    ``shut``: why no order is taken."""

    at: datetime | None = None
    missing: list[str] = field(default_factory=list)
    flight: Flight | None = None
    flow: Flow | None = None
    steps: Sequence[StepTime] = ()
    boxes: Mapping[str, Boxes] = field(default_factory=dict)
    silent: Sequence[Silent] = ()
    outages: Mapping[str, Outage] = field(default_factory=dict)
    relays: int | None = None
    shut: Line | None = None
    webhooks: timedelta | None = None  # the oldest message that could be sent has waited for so long
    broker: Broker = field(default_factory=Broker)

    def ask(self, what: str, question: Callable[[], T], otherwise: T) -> T:
        """The answer; or, if the database gives none, that this is ``missing``."""
        try:
            return question()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The control room can't tell %s: %s", what, str(error).partition("\n")[0])
            self.missing.append(f"{what[0].upper()}{what[1:]} can't be told: the database does not answer.")
            return otherwise


def take() -> Numbers:
    """Ask for all of them. Never raises what a database or the broker raises."""
    found = Numbers(broker=watch.look(), shut=door.shut())
    found.outages = found.ask("how the providers are", outages, {})
    found.boxes = found.ask("what waits in outboxes and inboxes", boxes, {})
    away = [service for service in services() if service not in found.boxes] if found.boxes else []
    found.missing += [
        f"The database of {service} does not answer: what lies there waits, and goes on by itself once it is back."
        for service in away
    ]
    if silent := [service for service, one in found.boxes.items() if one.silent]:
        found.silent = found.ask("who is silent", lambda: silent_edges(silent), [])
    found.relays = found.ask("how many relays run", leading.running, None)
    found.webhooks = found.ask("how long webhooks wait", overdue, None)
    found.at = found.ask("how orders stand", lambda: now_in(Order), None)
    if found.at:
        _of_orders(found, found.at)
    return found


def _of_orders(found: Numbers, now: datetime) -> None:
    silent: Collection[UUID] = ()
    if found.silent:
        silent = found.ask("which orders nobody reacts to", orders_with_incidents, set())
    away = {service: one for service, one in found.outages.items() if one.is_waited_for}
    around = Elsewhere(now=now, away=away, silent=silent, queueing={})
    found.flight = found.ask("which orders are in flight", lambda: flight(around), None)
    found.flow = found.ask("how orders came and ended", lambda: flow(now), None)
    placed = found.flow.placed_within(LATELY) if found.flow else 0
    found.steps = found.ask("how long each step takes", lambda: step_times(now, placed), ())


class Shared:
    """Takes numbers for whoever asks: one takes them, and who comes meanwhile gets the last ones."""

    def __init__(self) -> None:
        self._taking = threading.Lock()
        self._last: Numbers | None = None
        self._good_until = 0.0

    def now(self) -> Numbers:
        last = self._last
        if last and (time.monotonic() < self._good_until or not self._taking.acquire(blocking=False)):
            return last
        if not last:
            self._taking.acquire()
        try:
            began = time.monotonic()
            if self._last is None or began >= self._good_until:
                self._last = take()
                took = time.monotonic() - began
                self._good_until = time.monotonic() + max(GOOD_FOR, took / SHARE)
            return self._last
        finally:
            self._taking.release()

    def forget(self) -> None:
        self._last, self._good_until = None, 0.0


shared = Shared()
