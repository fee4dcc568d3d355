"""One app's database away, databases apart: the app's own PostgreSQL is killed, and started again after a while.

Meanwhile whatever waits for another service must go on. Without inventory's prices no order is accepted, so what can go
on there has been placed before: orders that had waited for the payment provider, which returns at the moment inventory's
database goes.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta

from inventory.lookups import StockWarehouses
from orders.process import PER_WAREHOUSE
from tests.chaos import movement
from tests.chaos.found import Found
from tests.chaos.movement import Wait
from tests.chaos.shop import Shop

TWICE: tuple[str, ...] = ()
GOAL = 30.0  # s from when it is back until all orders placed before have ended
PILED_UP = 15.0  # s of orders that wait for the payment provider when inventory goes
SLICE = 5.0  # s; in each something must happen elsewhere
AT_THE_LAST_MOMENT = timedelta(seconds=1)
# What a step looks up in another app's database.
LOOKS_UP = {StockWarehouses.__module__.partition(".")[0]: (PER_WAREHOUSE,)}


def measure(shop: Shop, options: argparse.Namespace) -> Found:
    assert shop.own
    shop.warm_up()
    with ExitStack() as provider_away:
        if options.app == "inventory":
            provider_away.enter_context(shop.stack.supervisor.held("payments"))
            time.sleep(PILED_UP)
        shop.own.kill()
        away = movement.now()
    time.sleep(options.seconds)
    back = movement.now()
    shop.own.restart()
    began = time.monotonic()
    shop.until_ended()
    took = time.monotonic() - began
    shop.load.stop()
    shop.until_ended()
    found = _meanwhile(options.app, away, back)
    found.numbers |= {"app": options.app, "away_s": options.seconds, "rate": options.rate}
    found.numbers["took_s"] = round(took, 1)
    found.goal("from its return until all orders placed before had ended", took, GOAL)
    if took > GOAL:
        print(movement.story(movement.waits_at(back), back))
    return found


def _meanwhile(app: str, away: datetime, back: datetime) -> Found:
    """What happened while it was away, and whether all happened that could."""
    found = Found()
    others = [(service, at) for service, at in movement.events(away, back) if service != app]
    rates = movement.per_second(others, away, back)
    slices = Counter(int((at - away).total_seconds() // SLICE) for _, at in others)
    whole = int((back - away) / timedelta(seconds=SLICE))
    fewest = min((slices[number] for number in range(whole)), default=0)
    elsewhere = [wait for wait in movement.waits_at(away) if not _needs(app, wait, away)]
    late = sum(wait.over is None or wait.over > back for wait in elsewhere)
    went_on = movement.longest(elsewhere, away)
    print(
        f"\n{app}'s database was away for {(back - away).total_seconds():.0f} s; events a second meanwhile:"
    )
    print("  " + ", ".join(f"{service} {rate:g}" for service, rate in sorted(rates.items())))
    print(
        f"  {len(elsewhere)} orders waited for others: {late} stood still, the last went on after {went_on:.1f} s"
    )
    found.numbers = {"events_per_s": rates, "elsewhere": len(elsewhere), "went_on_s": round(went_on, 1)}
    found.must(bool(others), "nothing happened in the other services while the database was away")
    if late:
        print(movement.story(elsewhere, away))
    found.must(not late, f"{late} orders that waited for others stood still while the database was away")
    found.must(fewest > 0 or app == "inventory", f"for {SLICE:g} s nothing happened in the others")
    return found


def _needs(app: str, wait: Wait, away: datetime) -> bool:
    """What it waits for is the app's, or looks something up there, or was told so late that it lies in the app's outbox
    and nowhere else: the app's worker did not even learn that this was stored."""
    only_there = app in wait.told_by and away - wait.since < AT_THE_LAST_MOMENT
    return wait.step.service == app or wait.step in LOOKS_UP.get(app, ()) or only_there
