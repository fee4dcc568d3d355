"""The shop as it is measured here: with a history in its tables, with other orders, with a backlog."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings

from benchmarks.client import Client
from benchmarks.growth.history import grow
from benchmarks.growth.retention import NoDoor
from benchmarks.servers import Servers
from benchmarks.steps import PRODUCTS
from benchmarks.systems.shop import IN_PROCESS, TEMPLATE, Shop, audit, two_at_random

GROWN = "shop_grown"
IN_PLACE = 300_000  # orders; a larger history is measured where it is, not in a copy of its own
AUDITED = 20_000  # of the latest orders, where all would take too long


def one_and_the_same() -> list[int]:
    """The product that everybody wants, and another."""
    return [0, random.randrange(1, PRODUCTS)]


def many(lines: int) -> list[int]:
    return random.sample(range(PRODUCTS), lines)


class Wanting(Shop):
    """The shop with other orders; ``found`` tells of events that had to be due again, and of sagas resumed."""

    def __init__(
        self,
        servers: Servers,
        name: str,
        style: str,
        wanted: Callable[[], list[int]],
        fewest: int = IN_PROCESS.fewest,
        more: Mapping[str, str] | None = None,
    ) -> None:
        providers = replace(IN_PROCESS, env={**IN_PROCESS.env, **(more or {})}, fewest=fewest)
        super().__init__(servers, name, style, providers, wanted)

    def found(self) -> dict[str, Any]:
        again = 0
        for service in settings.SERVICES:
            row = self.servers.ask(
                f"SELECT count(*) FROM {service}_outbox WHERE claims > 1", database=self.database
            )
            again += int(str(row[0])) if row else 0
        stalled = self.servers.ask(
            "SELECT count(*) FROM orders_outbox WHERE type = 'OrderStalled'", database=self.database
        )
        return {"due_again": again, "stalled": int(str(stalled[0])) if stalled else 0}


@dataclass
class History:
    """The database in which completed orders become more and more."""

    servers: Servers
    orders: int = 0

    def reach(self, orders: int) -> float:
        """Until it has so many; how many seconds that took."""
        began = time.monotonic()
        if not self.servers.has(GROWN):
            self._begin()
        if orders > self.orders:
            env = Shop(self.servers, "none", settings.STYLES[0]).environment(GROWN)
            with Client(NoDoor, env) as client:
                client.run(grow, orders - self.orders)
            self.orders = orders
            self.servers.tell("VACUUM ANALYZE", GROWN)
            self.servers.tell("CHECKPOINT")
        return time.monotonic() - began

    def _begin(self) -> None:
        """One real order in each style, for all others to be copied from."""
        for style in settings.STYLES:
            shop = Grown(self, f"first_{style}", style)
            shop.prepare()
            if not self.servers.has(GROWN):
                self.servers.make(GROWN, template=TEMPLATE)
            try:
                shop.start()
                with Client(shop.door, shop.env) as client:
                    client.lone(1, 0.5)
            finally:
                shop.stop()


class Grown(Wanting):
    """The shop on a history: on a copy of it, where that is no trouble."""

    def __init__(
        self, history: History, name: str, style: str, more: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(history.servers, name, style, two_at_random, more=more)
        self._history = history
        self.audit = partial(audit, "--newest", str(AUDITED))

    @property
    def database(self) -> str:
        small = 0 < self._history.orders <= IN_PLACE
        return super().database if small else GROWN

    def make_database(self) -> None:
        if self.database != GROWN:
            self.servers.make(self.database, template=GROWN)

    def drop_database(self) -> None:
        if self.database != GROWN:
            self.servers.drop(self.database)

    def found(self) -> dict[str, Any]:
        row = self.servers.ask("SELECT pg_database_size(current_database())", database=self.database)
        return {**super().found(), "database_mb": int(str(row[0])) // 1_000_000 if row else None}
