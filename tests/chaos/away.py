"""A provider away for long under load: nothing is parked, and all has ended soon after it is back.

What has piled up is the outage's length times the rate; it is worked off while more orders come. So the rate that is
possible ends where the shop's speed does, and is told with the result.
"""

from __future__ import annotations

import argparse
import time

from orders.models import Order, Saga
from shop.messaging.outages import outages
from tests.chaos.found import Found
from tests.chaos.shop import Shop, insist

TWICE: tuple[str, ...] = ()
GOAL = 60.0  # s from when it is back until all orders placed before have ended
TOLD_EVERY = 60.0  # s
SERVICE_OF = {"payments": "payments", "carrier": "shipping"}  # whose provider it is


def measure(shop: Shop, options: argparse.Namespace) -> Found:
    found, parked = Found(), 0
    shop.warm_up()
    with shop.stack.supervisor.held(options.provider):
        until = time.monotonic() + options.seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, TOLD_EVERY))
            parked += insist(Saga.objects.filter(state__in=Saga.WAIT_FOR_A_PERSON).count)
            print(f"  {_open()} orders wait, {parked} parked", flush=True)
        known = bool(outages(SERVICE_OF[options.provider]))
        waiting = _open()
    began = time.monotonic()
    shop.until_ended()
    took = time.monotonic() - began
    found.numbers = {
        "provider": options.provider,
        "away_s": options.seconds,
        "rate": options.rate,
        "waiting": waiting,
        "took_s": round(took, 1),
    }
    found.must(known, f"the outage of {options.provider} was not noticed")
    found.must(not parked, f"{parked} orders were parked while it was away")
    print(f"{options.provider} was away for {options.seconds:g} s; {waiting} orders had piled up")
    found.goal("from its return until all orders placed before had ended", took, GOAL)
    return found


def _open() -> int:
    return insist(Order.objects.exclude(saga__state="ended").count)
