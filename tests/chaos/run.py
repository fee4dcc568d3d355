"""The run as a whole: one fault after the other under load, then several at once; a table, and a file with the result."""

from __future__ import annotations

import argparse
import os
import random
import secrets
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import django
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.db.models import Max

from benchmarks import about, results
from benchmarks.run import FOLDER
from benchmarks.servers import Servers
from shop.tools.up.stack import Stack
from tests.chaos.faults import Fault, Faults

T = TypeVar("T")

GOAL = 30.0  # s from the end of a fault until all orders have ended
PATIENCE = 150.0  # s; then it is noted as not healed
PAUSE = 0.1  # s between orders and orders
AT_ONCE = 8  # faults in the storm at the end
TWICE = ("payments", "shipping")  # services with two workers


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument(
        "--rounds", type=int, default=2, metavar="N", help="of all faults, in another sequence"
    )
    parser.add_argument(
        "--orders", type=int, default=5, metavar="N", help="placed in each style, ten times a second"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="only faults whose name has it; no storm")
    return parser.parse_args()


class Load(threading.Thread):
    """Places orders all the time, a few in each style at once, until it is told to stop."""

    def __init__(self, live: Any, at_once: int) -> None:
        super().__init__(name="load", daemon=True)
        self._live, self._at_once = live, at_once
        self._skus = live.products(1_000_000)
        self._stop_it = threading.Event()
        self.placed = 0

    def run(self) -> None:
        while not self._stop_it.wait(PAUSE):
            for style in settings.STYLES:
                insist(lambda style=style: self._live.place(style, self._skus, orders=self._at_once))  # type: ignore[misc]
                self.placed += self._at_once
        connections.close_all()

    def stop(self) -> None:
        self._stop_it.set()
        self.join()


class Chaos:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.healed: dict[str, list[float]] = defaultdict(list)

    def round(self, faults: dict[str, Fault]) -> None:
        names = [*faults]
        self._chance.shuffle(names)
        for name in names:
            self.under(name, [faults[name]])

    def under(self, name: str, faults: list[Fault]) -> None:
        """The faults, and then until all orders have ended that were placed before they were over."""
        time.sleep(self._chance.uniform(1, 2))
        for fault in faults:
            fault()
        over = time.monotonic()
        ended = self.until_ended(over + PATIENCE)
        took = time.monotonic() - over
        self.healed[name].append(took)
        print(f"  {took:6.1f} s  {name}{'' if ended else ': NOT HEALED'}", flush=True)

    def until_ended(self, deadline: float) -> bool:
        from orders.models import Order

        newest = insist(lambda: Order.objects.aggregate(newest=Max("pk"))["newest"])
        open_ = Order.objects.filter(pk__lte=newest).exclude(saga__state="ended")
        while insist(open_.exists):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True


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


def main(servers: Servers) -> int:
    """``servers``: those that this process's environment names."""
    options, began = arguments(), datetime.now(UTC)
    chance = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    django.setup()
    migrate = (sys.executable, "manage.py", "migrate", "-v", "0")
    subprocess.run(migrate, cwd=settings.BASE_DIR, check=True, timeout=120)
    from tests.brokers import broker_of
    from tests.live import Live

    with Stack(os.environ, servers.folder / "shop", twice=TWICE, say=lambda line: None) as stack:
        settings.PAYMENTS_URL, settings.CARRIER_URL = stack.env["PAYMENTS_URL"], stack.env["CARRIER_URL"]
        load, chaos = Load(Live(stack, broker_of("shop")), options.orders), Chaos(chance)  # type: ignore[arg-type]
        load.start()
        faults = Faults(servers, stack, "shop:", chance).all()
        faults = {name: fault for name, fault in faults.items() if options.only in name}
        for _ in range(options.rounds):
            chaos.round(faults)
        if not options.only:
            storm = [faults[name] for name in chance.sample([*faults], AT_ONCE)]
            chaos.under(f"{AT_ONCE} of these, one after the other", storm)
        load.stop()
        chaos.until_ended(time.monotonic() + PATIENCE)
        found = {"placed": load.placed, **state()}
    connections.close_all()
    result = {
        "at": began.isoformat(timespec="seconds"),
        "seed": options.seed,
        "machine": about.machine(servers.folder),
        "versions": about.versions(),
        "healed_s": {name: [round(took, 1) for took in times] for name, times in chaos.healed.items()},
        **found,
    }
    results.write(FOLDER / f"chaos-{began:%Y-%m-%d}.json", result)
    print_table(result)
    return 0 if found["audit"] == [] and not found["parked"] and not found["unended"] else 1


def state() -> dict[str, Any]:
    from orders.models import Saga
    from shop.tools.audit.run import audit

    return {
        "orders": Saga.objects.count(),
        "unended": Saga.objects.exclude(state="ended").count(),
        "parked": Saga.objects.filter(state="parked").count(),
        "audit": [violation.sentence for violation in audit().violations],
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
