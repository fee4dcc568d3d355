"""The broker flushed five times under load: nothing is lost, and all has ended soon after the last time."""

from __future__ import annotations

import argparse
import time
from typing import Any

import redis

from tests.chaos.found import Found
from tests.chaos.shop import Shop

TWICE = ("payments", "shipping")
GOAL = 30.0  # s from the last flush until all orders placed before have ended
FLUSHES = 5
PATIENCE = 30.0  # s for which a flush waits for something to throw away
APART = (0.5, 5.0)  # s between two; what the first has lost is on its way again at the next


def measure(shop: Shop, options: argparse.Namespace) -> Found:
    found, thrown_away = Found(), []
    shop.warm_up()
    with redis.Redis.from_url(shop.servers.redis.url) as broker:
        for number in range(FLUSHES):
            time.sleep(shop.chance.uniform(*APART) if number else 0)
            thrown_away.append(_flush(broker))
    began = time.monotonic()
    shop.until_ended()
    took = time.monotonic() - began
    found.numbers = {"flushes": FLUSHES, "messages_lost": thrown_away, "took_s": round(took, 1)}
    print(f"messages that were lost: {', '.join(map(str, thrown_away))}")
    found.must(all(thrown_away), "a flush has thrown nothing away")
    found.goal("from the last flush until all orders placed before had ended", took, GOAL)
    return found


def _flush(broker: Any) -> int:
    """Flush it at a moment at which it holds a message. Returns how many that were."""
    from django.conf import settings

    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with broker.pipeline() as at_once:
            for queue in settings.SERVICES:
                at_once.llen(f"shop:{queue}")
            waiting = sum(at_once.execute())
            if waiting:
                for queue in settings.SERVICES:
                    at_once.llen(f"shop:{queue}")
                *lost, _ = at_once.flushall().execute()
                if sum(lost):
                    return sum(lost)
    return 0
