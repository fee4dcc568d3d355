"""The broker flushed five times under load: nothing is lost, and all has ended soon after the last time."""

from __future__ import annotations

import argparse
import time

import redis

from tests.chaos.found import Found
from tests.chaos.shop import Shop

TWICE = ("payments", "shipping")
GOAL = 30.0  # s from the last flush until all orders placed before have ended
FLUSHES = 5
APART = (0.5, 5.0)  # s between two; what the first has lost is on its way again at the next


def measure(shop: Shop, options: argparse.Namespace) -> Found:
    found, thrown_away = Found(), []
    shop.warm_up()
    with redis.Redis.from_url(shop.servers.redis.url) as broker:
        for number in range(FLUSHES):
            time.sleep(shop.chance.uniform(*APART) if number else 0)
            thrown_away.append(sum(broker.llen(f"shop:{queue}") for queue in _queues()))
            broker.flushall()
    began = time.monotonic()
    shop.until_ended()
    took = time.monotonic() - began
    found.numbers = {"flushes": FLUSHES, "messages_in_queues": thrown_away, "took_s": round(took, 1)}
    print(f"messages in the queues that were flushed: {', '.join(map(str, thrown_away))}")
    found.goal("from the last flush until all orders placed before had ended", took, GOAL)
    return found


def _queues() -> list[str]:
    from django.conf import settings

    return list(settings.SERVICES)
