"""The run as a whole: one fault after the other under load, then several at once; a table, and a file with the result."""

from __future__ import annotations

import argparse
import os
import random
import secrets
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import django
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections

from benchmarks import about, results
from benchmarks.run import FOLDER
from benchmarks.servers import Servers, own_servers
from shop.tools.up.stack import Stack
from tests.chaos.faults import Fault, Faults

T = TypeVar("T")

GOAL = 30.0  # s from the end of a fault until all orders have ended
PATIENCE = 150.0  # s; then it is noted as not healed
AT_ONCE = 8  # faults in the storm at the end
TWICE = ("payments", "shipping")  # services with two workers


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument(
        "--rounds", type=int, default=2, metavar="N", help="of all faults, in another sequence"
    )
    parser.add_argument(
        "--orders", type=int, default=30, metavar="N", help="placed in each style, before and after each"
    )
    return parser.parse_args()


class Chaos:
    def __init__(self, live: Any, chance: random.Random, orders: int) -> None:
        self._live, self._chance, self._count = live, chance, orders
        self._skus = live.products(1_000_000)
        self.orders: list[Any] = []
        self.healed: dict[str, list[float]] = defaultdict(list)

    def round(self, faults: dict[str, Fault]) -> None:
        names = [*faults]
        self._chance.shuffle(names)
        for name in names:
            self.under(name, [faults[name]])

    def under(self, name: str, faults: list[Fault]) -> None:
        """Orders before, while and after; then until all of them have ended."""
        self._place()
        time.sleep(self._chance.uniform(0, 0.5))
        for fault in faults:
            fault()
        over = time.monotonic()
        self._place()
        ended = self._until_ended(over + PATIENCE)
        took = time.monotonic() - over
        self.healed[name].append(took)
        print(f"  {took:6.1f} s  {name}{'' if ended else ': NOT HEALED'}", flush=True)

    def _place(self) -> None:
        for style in settings.STYLES:
            self.orders += insist(lambda style=style: self._live.place(style, self._skus, orders=self._count))  # type: ignore[misc]

    def _until_ended(self, deadline: float) -> bool:
        from orders.models import Order

        keys = [order.pk for order in self.orders]
        open_ = Order.objects.filter(pk__in=keys).exclude(saga__state="ended")
        while insist(open_.exists):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True


def insist(act: Callable[[], T]) -> T:
    """The database may be away just now. What is placed twice for it are two orders, as any others."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except DatabaseError:
            connections.close_all()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def environment(servers: Servers) -> dict[str, str]:
    return {
        **{name: "" for name in os.environ if name.endswith("_DATABASE_URL")},
        "DATABASE_URL": servers.make("shop"),
        "REDIS_URL": servers.redis.url,
        "SECRET_KEY": secrets.token_urlsafe(50),
    }


def main() -> int:
    options, began = arguments(), datetime.now(UTC)
    chance = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    with own_servers() as servers:
        os.environ.update(environment(servers))
        django.setup()
        migrate = (sys.executable, "manage.py", "migrate", "-v", "0")
        subprocess.run(migrate, cwd=settings.BASE_DIR, check=True, timeout=120)
        from tests.live import Live

        stack = Stack(os.environ, Path(servers.folder) / "shop", twice=TWICE, say=lambda line: None)
        with stack:
            settings.PAYMENTS_URL, settings.CARRIER_URL = stack.env["PAYMENTS_URL"], stack.env["CARRIER_URL"]
            chaos = Chaos(Live(stack), chance, options.orders)  # type: ignore[arg-type]
            faults = Faults(servers, stack, "shop:", chance).all()
            for _ in range(options.rounds):
                chaos.round(faults)
            storm = [faults[name] for name in chance.sample([*faults], AT_ONCE)]
            chaos.under(f"{AT_ONCE} of these, one after the other", storm)
            found = state_of(chaos)
        connections.close_all()
        result = {
            "at": began.isoformat(timespec="seconds"),
            "seed": options.seed,
            "machine": about.machine(servers.folder),
            "versions": about.versions(),
            "healed_s": {name: [round(took, 1) for took in times] for name, times in chaos.healed.items()},
            **found,
        }
    path = FOLDER / f"chaos-{began:%Y-%m-%d}.json"
    results.write(path, result)
    print_table(result)
    return 0 if found["audit"] == [] and not found["parked"] and not found["unended"] else 1


def state_of(chaos: Chaos) -> dict[str, Any]:
    from orders.models import Saga
    from shop.tools.audit.run import audit

    keys = [order.pk for order in chaos.orders]
    sagas = Saga.objects.filter(order__in=keys)
    return {
        "orders": len(keys),
        "unended": sagas.exclude(state="ended").count(),
        "parked": sagas.filter(state="parked").count(),
        "audit": [str(violation.sentence) for violation in audit().violations],
    }


def print_table(result: dict[str, Any]) -> None:
    print(f"\n{'s until all orders had ended':<46}{'median':>8}{'longest':>9}{'times':>7}")
    everything = [took for times in result["healed_s"].values() for took in times]
    for name, times in sorted(result["healed_s"].items(), key=lambda row: -max(row[1])):
        print(f"{name:<46}{statistics.median(times):>8.1f}{max(times):>9.1f}{len(times):>7}")
    late = sum(took > GOAL for took in everything)
    print(
        f"{result['orders']} orders, {result['unended']} not ended, {result['parked']} parked; "
        f"{late} of {len(everything)} faults took longer than {GOAL:g} s; "
        f"audit: {'; '.join(result['audit']) or 'every promise holds'}"
    )
