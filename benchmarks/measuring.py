"""One system, once: warmed up, its lone orders timed, then as many orders as it can take for some seconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks import counters
from benchmarks.client import Client
from benchmarks.systems import shop
from benchmarks.systems.base import System

WARM_UP = 100  # orders
PROBE = 200  # orders that tell how many to measure with
WARMER = 3  # times as fast a system may be once it is warm
MOST = 30_000  # orders in a measured run
SET = 50  # clients place in sets of this size, where a system takes sets
POLL = 0.1  # s
STUCK = 30.0  # s without any order completed
LONGEST = 300.0  # s for all orders of a run
# What idle connections keep to themselves: of the shop alone it is known that a lone order wakes every one of them.
TOLD_LATE = ("row_versions_per_order", "hot_share", "commits_per_order")
STATISTICS = 1.5  # s after which a connection's next commit tells what it did before


@dataclass(frozen=True)
class Plan:
    """``orders``: in the measured run; None: what takes about ``seconds``. ``lone``: orders timed one at a time."""

    orders: int | None
    seconds: float
    lone: int
    pause: float = 0.1  # s between lone orders


class Others:
    """How much of the machine was used by what is no part of the measurement, since this was made."""

    def __init__(self) -> None:
        self._at, self._machine = time.monotonic(), counters.machine_seconds()
        self._own = time.process_time()

    def share(self, measured: float) -> float:
        """Of all cores. ``measured``: CPU seconds of what was measured."""
        busy = counters.machine_seconds() - self._machine - (time.process_time() - self._own)
        all_there_was = (time.monotonic() - self._at) * (psutil.cpu_count() or 1)
        return round(max(0.0, busy - measured) / all_there_was, 3)


@dataclass
class Run:
    """A system that runs, and its clients."""

    system: System
    clients: Sequence[Client]

    def burst(self, orders: int) -> tuple[int, float]:
        """Place them all at once: how many have been completed, and the seconds from first placed to last ended.

        Gives up when nothing is completed for a while.
        """
        after = self.clients[0].last()
        share, rest = divmod(orders, len(self.clients))
        placing = [client.place(share + (number < rest)) for number, client in enumerate(self.clients)]
        first = min(future.result(LONGEST) for future in placing)
        began = moved = time.monotonic()
        count, last = self.clients[0].ended(after)
        while count < orders and time.monotonic() - moved < STUCK and time.monotonic() - began < LONGEST:
            time.sleep(POLL)
            before, (count, last) = count, self.clients[0].ended(after)
            if count > before:
                moved = time.monotonic()
        return count, last - first

    def settle(self) -> None:
        """Idle connections tell PostgreSQL's statistics late: only with their next commit. One more order makes them."""
        time.sleep(STATISTICS)
        self.clients[0].lone(1, 0.2)

    def groups(self) -> Mapping[str, list[int]]:
        servers = self.system.servers
        return {
            **self.system.groups(),
            "postgres": [servers.postgres.pid],
            "valkey": [servers.redis.pid],
            "clients": [client.pid for client in self.clients],
        }

    def counters(self) -> counters.Counters:
        return counters.read(self.system.servers, self.system.database, self.groups())


def measure(system: System, plan: Plan) -> dict[str, Any]:
    """Start it, measure it, stop it. What there is to say of it is in the answer."""
    with ExitStack() as stack:
        stack.callback(system.stop)
        system.start()
        clients = [stack.enter_context(Client(system.door, system.env)) for _ in range(system.clients)]
        run = Run(system, clients)
        result = _measured(run, plan)
        if isinstance(system, shop.Shop):
            result |= system.found()
            result["audit"] = _audited(clients[0].run(system.audit))
        else:
            for told_late in TOLD_LATE:
                del result[told_late]
    return result


def _measured(run: Run, plan: Plan) -> dict[str, Any]:
    pids = run.groups()
    cold = WARM_UP / _all_of(run, WARM_UP)
    run.system.servers.tell("VACUUM ANALYZE", run.system.database)  # as autovacuum does, within a minute
    lone = sorted(1000 * seconds for seconds in run.clients[0].lone(plan.lone, plan.pause))
    orders = plan.orders or _enough(run, cold, plan.seconds)
    run.settle()
    before, others = run.counters(), Others()
    completed, seconds = run.burst(orders)
    run.settle()
    after = run.counters()
    spent = after.since(before, orders + 1)  # with the one of `settle`
    if run.groups() != pids:
        raise RuntimeError(f"A process of {run.system.name} died and another took its place.")
    result: dict[str, Any] = {
        "orders": orders,
        "ended": completed,
        "seconds": round(seconds, 3),
        "orders_per_s": round(completed / seconds, 1) if completed else 0.0,
        "idle_p50_ms": round(statistics.median(lone), 1) if lone else None,
        "idle_p95_ms": round(lone[max(0, round(len(lone) * 0.95) - 1)], 1) if lone else None,
        "idle_orders": len(lone),
        **spent,
        "others_used": others.share(sum(after.cpu.values()) - sum(before.cpu.values())),
        "memory_mib": counters.memory_mib(pid for some in pids.values() for pid in some),
    }
    if completed < orders:
        result["incomplete"] = f"{orders - completed} of {orders} orders were not completed."
    print(f"  {run.system.name}: {result['orders_per_s']:,} orders/s, idle p50 {result['idle_p50_ms']} ms")
    return result


def _all_of(run: Run, orders: int) -> float:
    """Seconds that so many orders take; not one may be missing."""
    completed, seconds = run.burst(orders)
    if completed < orders:
        raise RuntimeError(f"{run.system.name} completed {completed} of {orders} orders while warming up.")
    return seconds


def _enough(run: Run, cold: float, seconds: float) -> int:
    """The orders that take about so long, in whole sets. ``cold``: orders/s of the warm-up."""
    if cold * WARMER * seconds < run.system.fewest:
        return run.system.fewest
    rate = PROBE / _all_of(run, PROBE)
    wanted = min(MOST, max(run.system.fewest, round(rate * seconds)))
    return -(-wanted // SET) * SET


def _audited(found: dict[str, Any]) -> dict[str, Any]:
    """What the audit says, in short; its first violations in full."""
    kept: dict[str, Any] = {
        name: found[name] for name in ("ok", "error", "orders", "in_flight", "left_out") if name in found
    }
    if not found["ok"]:
        kept["violations"] = found.get("violations", [])[:5]
        print(f"  The audit is not content: {kept}")
    return kept
