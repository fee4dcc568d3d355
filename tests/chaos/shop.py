"""The running shop under load, and what all figures ask of it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.db.models import Max

from benchmarks.servers import Servers
from orders.models import Order, Saga
from shop.messaging.tables import inbox_of
from shop.tools.audit.run import audit
from shop.tools.up.servers import Server
from shop.tools.up.stack import Stack
from tests.brokers import broker_of
from tests.live import Live

T = TypeVar("T")

PATIENCE = 150.0  # s; then it is noted as not healed
PAUSE = 0.1  # s between orders and orders


class Load(threading.Thread):
    """Places orders all the time, a few in each style at once, until it is told to stop."""

    def __init__(self, live: Live, rate: float) -> None:
        super().__init__(name="load", daemon=True)
        self._live = live
        self._each_time = rate * PAUSE / len(settings.STYLES)
        self._skus = live.products(1_000_000)
        self._stop_it = threading.Event()
        self._began = self._ended = time.monotonic()
        self.placed = 0

    def run(self) -> None:
        owed = 0.0
        while not self._stop_it.wait(PAUSE):
            owed += self._each_time
            if count := int(owed):
                owed -= count
                for style in settings.STYLES:
                    insist(lambda style=style, count=count: self._live.place(style, self._skus, orders=count))  # type: ignore[misc]
                    self.placed += count
        connections.close_all()

    def begin(self) -> None:
        self._began = time.monotonic()
        self.start()

    def stop(self) -> None:
        if not self._stop_it.is_set():
            self._stop_it.set()
            self.join()
            self._ended = time.monotonic()

    @property
    def per_second(self) -> float:
        """How many it could really place, once it has stopped."""
        return round(self.placed / max(self._ended - self._began, PAUSE), 1)


@dataclass(frozen=True)
class Shop:
    """``own``: the server of the one app that has one."""

    servers: Servers
    stack: Stack
    live: Live
    load: Load
    chance: random.Random
    own: Server | None

    def until_ended(self, patience: float = PATIENCE) -> bool:
        """Whether all orders that are placed by now have ended within so many s."""
        deadline = time.monotonic() + patience
        newest = insist(lambda: Order.objects.aggregate(newest=Max("pk"))["newest"])
        open_ = Order.objects.filter(pk__lte=newest or 0).exclude(saga__state="ended")
        while insist(open_.exists):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def warm_up(self) -> None:
        """Everybody has connected and prepared what it runs."""
        time.sleep(self.chance.uniform(3, 4))

    def state(self) -> dict[str, Any]:
        connections.close_all()  # one of them may lead to a server that was killed since
        parked = sum(
            inbox_of(name)._default_manager.filter(state="parked").count() for name in settings.SERVICES
        )
        return {
            "placed": self.load.placed,
            "placed_per_s": self.load.per_second,
            "orders": Saga.objects.count(),
            "unended": Saga.objects.exclude(state="ended").count(),
            "parked": Saga.objects.filter(state__in=Saga.WAIT_FOR_A_PERSON).count() + parked,
            "audit": [violation.sentence for violation in audit().violations],
        }


@contextmanager
def running(
    servers: Servers, own: Server | None, rate: float, chance: random.Random, twice: Collection[str]
) -> Iterator[Shop]:
    """``twice``: the services that have two workers. What the shop says of its processes stands in its folder."""
    for alias in connections:
        migrate = (sys.executable, "manage.py", "migrate", "-v", "0", "--database", alias)
        subprocess.run(migrate, cwd=settings.BASE_DIR, check=True, timeout=120)
    with Stack(os.environ, servers.folder / "shop", twice=twice, say=lambda line: None) as stack:
        settings.PAYMENTS_URL, settings.CARRIER_URL = stack.env["PAYMENTS_URL"], stack.env["CARRIER_URL"]
        live = Live(stack, broker_of("shop"))  # type: ignore[arg-type]
        load = Load(live, rate)
        load.begin()
        try:
            yield Shop(servers, stack, live, load, chance, own)
        finally:
            load.stop()
            connections.close_all()


def insist(act: Callable[[], T]) -> T:
    """The database may be away just now. What is placed twice for it are two orders, like any others."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except DatabaseError:
            connections.close_all()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
