"""Breaks what a person asked to see broken, by the page in the admin, and notes when it was whole again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from kombu import Connection

from shop.base.breaking import KEPT, Broken, Channel, Told, Way, Wish
from shop.messaging.brokers import AWAY as BROKER_AWAY
from shop.tools.up.children import Child
from shop.tools.up.stack import SANDBOXES
from shop.tools.up.supervisor import Supervisor

AWAY_FOR = 30.0  # s: longer than an order's first attempts, so that it is known to be away
AT_ONCE = 1_000  # keys deleted in one call
# Not the database and the web: the page itself is theirs.
SPARED = ("postgres", "web", "flower", "metrics", "forkserver")


@dataclass
class _Open:
    """Something broken that is not whole again. ``pid``: the process that was killed; ``until``: when it may start."""

    broken: Broken
    began: float
    pid: int = 0
    until: float = 0.0
    held: AbstractContextManager[None] | None = None


class Breaker:
    """Call ``turn`` some times a second. ``env``: the shop's, which names its broker."""

    def __init__(self, data: Path, supervisor: Supervisor, env: Mapping[str, str]) -> None:
        self._channel, self._supervisor, self._env = Channel(data), supervisor, env
        self._told = Told(since=datetime.now(UTC), processes=self._processes())
        self._open: list[_Open] = []

    def open(self) -> None:
        self._channel.open()
        self._channel.tell(self._told)

    def close(self) -> None:
        self._channel.close()

    def turn(self) -> None:
        changed = [self._break(wish) for wish in self._channel.wishes()]
        changed += [self._look(one) for one in list(self._open)]
        processes = self._processes()
        if any(changed) or processes != self._told.processes:
            self._told.processes = processes
            self._channel.tell(self._told)

    def _processes(self) -> dict[str, bool]:
        return {name: up for name, up in self._supervisor.readiness().items() if name not in SPARED}

    def _break(self, wish: Wish) -> bool:
        ways: Mapping[Way, Callable[[Broken], _Open | None]] = {
            Way.KILL: self._kill,
            Way.FLUSH: self._flush,
            Way.AWAY: self._hold,
        }
        broken = Broken(way=wish.way, whom=wish.whom, at=datetime.now(UTC))
        if wish.way != Way.FLUSH and not self._processes().get(wish.whom):
            broken.refused = "It is not running just now."
        elif one := ways[wish.way](broken):
            self._open.append(one)
        self._told.broken = [broken, *self._told.broken][:KEPT]
        return True

    def _kill(self, broken: Broken) -> _Open:
        child: Child = self._supervisor.child(broken.whom)
        one = _Open(broken, time.monotonic(), pid=child.pid)
        self._supervisor.kill(broken.whom)
        return one

    def _hold(self, broken: Broken) -> _Open | None:
        if broken.whom not in SANDBOXES:
            broken.refused = "Only a provider can be away."
            return None
        broken.seconds = AWAY_FOR
        held = self._supervisor.held(broken.whom)
        held.__enter__()
        now = time.monotonic()
        return _Open(broken, now, until=now + AWAY_FOR, held=held)

    def _flush(self, broken: Broken) -> None:
        try:
            broken.lost = self._thrown_away()
            broken.back_after = 0.0
        except BROKER_AWAY:
            broken.refused = "The broker does not answer."

    def _thrown_away(self) -> int:
        """Everything of the shop's in its broker. How many messages waited there."""
        url = self._env.get("BROKER_URL", "")
        if url.startswith("amqp"):
            with Connection(url, connect_timeout=3) as connection:
                channel: Any = connection.channel()
                return sum(int(channel.queue_purge(service)) for service in settings.SERVICES)
        prefix = self._env.get("REDIS_PREFIX", "shop:")
        with redis.Redis.from_url(url or self._env["REDIS_URL"], socket_timeout=3) as broker:
            waiting = sum(int(broker.llen(f"{prefix}{service}")) for service in settings.SERVICES)
            keys: list[bytes] = list(broker.scan_iter(f"{prefix}*", count=AT_ONCE))
            for begin in range(0, len(keys), AT_ONCE):
                broker.unlink(*keys[begin : begin + AT_ONCE])
            return waiting

    def _look(self, one: _Open) -> bool:
        now = time.monotonic()
        if one.held and now >= one.until:
            one.held.__exit__(None, None, None)
            one.held = None
        child = self._supervisor.child(one.broken.whom)
        if one.held or child.pid == one.pid or not self._supervisor.readiness()[one.broken.whom]:
            return False
        one.broken.back_after = now - one.began
        self._open.remove(one)
        return True
