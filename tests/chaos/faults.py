"""What can befall the shop, each as a function that returns when it is over."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable
from functools import partial

import redis

from benchmarks.servers import Servers
from shop.tools.up.stack import Stack

FROZEN_FOR = 15.0  # s
AWAY_FOR = 30.0  # s: longer than the first attempts of an order, so that it is known to be away
FLUSHES = 5
DEATHS = 6
NONSENSE = (b"{", b"[]", b"null", b"7", b"\xff", b'{"body": "e30=", "properties": {}, "headers": {}}')

Fault = Callable[[], object]


class Faults:
    """``chance`` decides which process it is, so that the seed tells all."""

    def __init__(self, servers: Servers, stack: Stack, prefix: str, chance: random.Random) -> None:
        self._servers, self._stack, self._prefix, self._chance = servers, stack, prefix, chance

    def all(self) -> dict[str, Fault]:
        return {
            "SIGKILL of a worker": partial(self._signal, signal.SIGKILL, "worker"),
            "SIGKILL of the relay": partial(self._signal, signal.SIGKILL, "relay"),
            "SIGTERM of a worker": partial(self._signal, signal.SIGTERM, "worker"),
            "SIGKILL of a provider": partial(self._signal, signal.SIGKILL, "payments", "carrier"),
            "SIGKILL of all processes": self._kill_all,
            f"a worker frozen for {FROZEN_FOR:g} s": self._freeze,
            f"a provider away for {AWAY_FOR:g} s": self._hold,
            f"the broker flushed {FLUSHES} times": self._flush,
            "messages doubled": self._double,
            "nonsense in every queue": self._nonsense,
            "SIGKILL of PostgreSQL": partial(self._crash, "postgres"),
            "SIGKILL of Valkey": partial(self._crash, "redis"),
            f"PostgreSQL away for {AWAY_FOR:g} s": partial(self._crash, "postgres", AWAY_FOR),
            f"Valkey away for {AWAY_FOR:g} s": partial(self._crash, "redis", AWAY_FOR),
            f"a worker killed {DEATHS} times, each as soon as it is back": self._kill_again_and_again,
            "a string in a queue's place": self._stand_in_the_way,
        }

    def _some(self, *beginnings: str) -> str:
        return self._chance.choice([name for name in self._stack.pids() if name.startswith(beginnings)])

    def _signal(self, number: signal.Signals, *beginnings: str) -> None:
        self._stack.supervisor.kill(self._some(*beginnings), number)

    def _kill_all(self) -> None:
        for name in self._stack.pids():
            self._stack.supervisor.kill(name)

    def _freeze(self) -> None:
        name = self._some("worker")
        self._stack.supervisor.kill(name, signal.SIGSTOP)
        time.sleep(FROZEN_FOR)
        self._stack.supervisor.kill(name, signal.SIGCONT)

    def _hold(self) -> None:
        with self._stack.supervisor.held(self._chance.choice(("payments", "carrier"))):
            time.sleep(AWAY_FOR)

    def _broker(self) -> redis.Redis:
        return redis.Redis.from_url(self._servers.redis.url)

    def _flush(self) -> None:
        with self._broker() as broker:
            for _ in range(FLUSHES):
                broker.flushall()
                time.sleep(self._chance.uniform(0.1, 0.5))

    def _double(self) -> None:
        """What waits in the queues just now, three times, in another sequence."""
        until = time.monotonic() + 2
        with self._broker() as broker:
            while time.monotonic() < until:
                for queue in self._queues():
                    some = [raw for raw in broker.lrange(queue, 0, 20) if _is_message(raw)] * 2
                    self._chance.shuffle(some)
                    if some:
                        broker.lpush(queue, *some)
                time.sleep(0.05)

    def _nonsense(self) -> None:
        with self._broker() as broker:
            for queue in self._queues():
                broker.rpush(queue, *NONSENSE)

    def _queues(self) -> list[str]:
        from django.conf import settings

        return [f"{self._prefix}{service}" for service in settings.SERVICES]

    def _crash(self, name: str, away: float | None = None) -> None:
        server = self._servers.postgres if name == "postgres" else self._servers.redis
        server.kill()
        time.sleep(self._chance.uniform(0, 3) if away is None else away)
        server.restart()

    def _kill_again_and_again(self) -> None:
        """It waits longer and longer for its next start."""
        name = self._some("worker")
        for _ in range(DEATHS):
            while name not in self._stack.pids():
                time.sleep(0.02)
            self._stack.supervisor.kill(name)
            while name in self._stack.pids():
                time.sleep(0.02)

    def _stand_in_the_way(self) -> None:
        with self._broker() as broker:
            queue = self._chance.choice(self._queues())
            broker.delete(queue)
            broker.set(queue, "mine")


def _is_message(raw: bytes) -> bool:
    try:
        return "headers" in json.loads(raw)
    except (ValueError, TypeError):
        return False
