"""SIGKILL of the busiest worker, again and again: how long until its orders move again?

Busiest is who has used most of the processor in the last second. Its orders are those whose turn it was at that service
at the moment of the kill, whether in its hands, in its queue or on the way there; an order moves again when that step is
done. Had they waited for long already, the shop was too slow for the rate, whoever is killed. No service has a second
worker, so that nobody steps in; `up` starts the dead one again.
"""

from __future__ import annotations

import argparse
import time
from datetime import datetime
from typing import NamedTuple

import psutil

from shop.base.terminal import Terminal
from tests.chaos import movement
from tests.chaos.found import Found
from tests.chaos.shop import PATIENCE, Shop

TWICE: tuple[str, ...] = ()
GOAL = 8.0  # s, the 95th percentile
LIVES = (10.0, 15.0)  # s from one kill's end to the next kill


class Kill(NamedTuple):
    service: str
    at: datetime


def measure(shop: Shop, options: argparse.Namespace) -> Found:
    shop.warm_up()
    kills = []
    with Terminal().bars(lines=False) as bars:
        bar = bars.add("kills", options.kills)
        for _ in range(options.kills):
            time.sleep(shop.chance.uniform(*LIVES) - 1)
            kills.append(_kill_busiest(shop))
            shop.until_ended()
            bar.show(len(kills))
    shop.load.stop()
    shop.until_ended()
    return _found(kills)


def _kill_busiest(shop: Shop) -> Kill:
    name = busiest(shop)
    shop.stack.supervisor.child(name).kill()
    kill = Kill(name.removeprefix("worker-"), movement.now())
    print(f"  SIGKILL of {name}", flush=True)
    deadline = time.monotonic() + PATIENCE
    while not shop.stack.supervisor.settled() and time.monotonic() < deadline:
        time.sleep(0.05)
    return kill


def busiest(shop: Shop) -> str:
    """The worker that has worked most in the second from now."""

    def used() -> dict[str, float]:
        pids = {name: pid for name, pid in shop.stack.pids().items() if name.startswith("worker-")}
        return {name: sum(psutil.Process(pid).cpu_times()[:2]) for name, pid in pids.items()}

    before = used()
    time.sleep(1)
    after = used()
    return max(after, key=lambda name: after[name] - before.get(name, 0.0))


def _found(kills: list[Kill]) -> Found:
    found, rows, times = Found(), [], []
    print(f"\n{'killed':<16}{'its orders':>11}{'waited before':>15}{'works again':>13}{'all moved':>11}  s")
    for service, at in kills:
        its = [wait for wait in movement.waits_at(at) if wait.step.service == service]
        again, moved = movement.first_event(service, at), movement.longest(its, at)
        before = max(((at - wait.since).total_seconds() for wait in its), default=0.0)
        print(f"{service:<16}{len(its):>11}{before:>15.1f}{again:>13.1f}{moved:>11.1f}")
        times.append(round(max(again, moved), 2))
        if moved > GOAL:
            print(movement.story(its, at))
        row = {"service": service, "orders": len(its), "before_s": round(before, 2)}
        rows.append({**row, "again_s": round(again, 2), "s": times[-1]})
    found.numbers = {"kills": rows, "p95_s": movement.p95(times), "longest_s": max(times)}
    found.must(any(row["orders"] for row in rows), "no order was at a worker that was killed")
    print(f"{len(times)} kills: longest {max(times):.1f} s")
    found.goal("from SIGKILL until its orders move again, p95", movement.p95(times), GOAL)
    return found
