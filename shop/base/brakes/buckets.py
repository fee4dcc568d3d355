"""Buckets of tokens in Redis, one for whoever is braked, shared by all processes: who takes one may act.

A bucket is one number, the time at which it would be full again (the "generic cell rate algorithm", known from ATM): no
row for each act, and no process that refills it. All that is taken at one moment is taken by one script, in one round
trip. Libraries that do the same take one for each bucket, and one more for what is left (docs/decisions/25).

While Redis is away each process counts by itself: nobody is locked out by a fault, and nobody may do anything for ever.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from shop.base.api.together import Together
from shop.base.brakes.rates import Rate

logger = logging.getLogger(__name__)

PATIENCE = 0.2  # s that Redis is waited for: what it brakes should not be held up by it
RESTS = 1.0  # s after it did not answer; then it is asked again
MOST_HERE = 10_000  # buckets of one process while Redis is away

# KEYS: buckets. ARGV: how many of them belong together, that is, are taken from all or none; then of each bucket the
# seconds in which one token comes, and how many it holds. Answers with three numbers for each bucket.
TAKE = """
local clock = redis.call('TIME')
local now, together, told = clock[1] + clock[2] / 1000000, tonumber(ARGV[1]), {}
for first = 1, #KEYS, together do
  local wait, full = 0, {}
  for i = first, first + together - 1 do
    full[i] = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now) + ARGV[2 * i]
    wait = math.max(wait, full[i] - now - ARGV[2 * i] * ARGV[2 * i + 1])
  end
  for i = first, first + together - 1 do
    local every, most = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    if wait < 0.000001 then
      redis.call('SET', KEYS[i], string.format('%.6f', full[i]), 'PX', math.ceil((full[i] - now) * 1000) + 1)
    else
      full[i] = full[i] - every
    end
    told[#told + 1] = string.format('%.6f', wait)
    told[#told + 1] = string.format('%.6f', full[i] - now)
  end
end
return told
"""

T = TypeVar("T")


class Bucket(NamedTuple):
    """``name``: whose it is, and for what. ``rate``: how many it holds, and how soon it is full."""

    name: str
    rate: Rate


class Taken(NamedTuple):
    """``wait``: s until there is one again; 0: it was taken. ``left``: how many are. ``full_in``: s until all are."""

    wait: float
    left: int
    full_in: float

    @property
    def allowed(self) -> bool:
        return self.wait <= 0


def take(bucket: Bucket) -> Taken:
    """A token of a bucket, together with what other threads of this process take just now."""
    return _takers.ask(bucket)


def take_all(buckets: Sequence[Bucket]) -> list[Taken]:
    """A token of each of these buckets, or of none of them. ``wait`` is the same for all."""
    return _take(buckets, len(buckets))


def asked(question: Callable[[redis.Redis], T], otherwise: T) -> T:
    """What Redis answers; or, while it is away, something else."""
    if time.monotonic() < _away["until"]:
        return otherwise
    try:
        return question(_client())
    except redis.RedisError as error:
        _away["until"] = time.monotonic() + RESTS
        logger.warning(
            "Redis can't be asked what is braked; this process counts by itself meanwhile: %s", error
        )
        return otherwise


def key_of(name: str) -> str:
    return f"{settings.BRAKES_PREFIX}{name}"


def forget(names: Sequence[str]) -> None:
    """These buckets are full again."""
    if names:
        asked(lambda client: client.delete(*map(key_of, names)), 0)
        here.forget(names)


class Here:
    """Buckets in this process alone: of those who are braked by it alone, and for want of Redis."""

    def __init__(self, most: int = MOST_HERE) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._full: dict[str, float] = {}  # when each will be

    def take_all(self, buckets: Sequence[Bucket]) -> list[Taken]:
        now = time.monotonic()
        with self._lock:
            full = [max(self._full.get(name, now), now) + rate.every for name, rate in buckets]
            waits = [at - now - rate.every * rate.most for at, (_, rate) in zip(full, buckets, strict=True)]
            wait = max(0.0, *waits)
            if wait < 1e-6:
                self._make_room(now)
                self._full.update((name, at) for at, (name, _) in zip(full, buckets, strict=True))
            else:
                full = [at - rate.every for at, (_, rate) in zip(full, buckets, strict=True)]
        return [_taken(wait, at - now, rate) for at, (_, rate) in zip(full, buckets, strict=True)]

    def forget(self, names: Sequence[str]) -> None:
        with self._lock:
            for name in names:
                self._full.pop(name, None)

    def _make_room(self, now: float) -> None:
        if len(self._full) < self._most:
            return
        self._full = {name: at for name, at in self._full.items() if at > now}
        while len(self._full) >= self._most:
            del self._full[next(iter(self._full))]


here = Here()
_away = {"until": 0.0}


def _take(buckets: Sequence[Bucket], together: int) -> list[Taken]:
    """``together``: so many at a time are taken from all or none."""
    keys = [key_of(name) for name, _ in buckets]
    numbers = [number for _, rate in buckets for number in (rate.every, rate.most)]
    found: Any = asked(lambda client: _script()(keys, [together, *numbers], client), None)
    if found is None:
        sets = [buckets[first : first + together] for first in range(0, len(buckets), together)]
        return [taken for some in sets for taken in here.take_all(some)]
    told = list(map(float, found))
    return [
        _taken(wait, full_in, rate)
        for wait, full_in, (_, rate) in zip(told[::2], told[1::2], buckets, strict=True)
    ]


def _taken(wait: float, full_in: float, rate: Rate) -> Taken:
    return Taken(wait if wait >= 1e-6 else 0.0, max(0, int(rate.most - full_in / rate.every + 1e-4)), full_in)


@cache
def _client() -> redis.Redis:
    """Once more at once: the server may have closed a connection that has rested."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 1),
    )


@cache
def _script() -> Any:
    return _client().register_script(TAKE)


_takers: Together[Bucket, Taken] = Together(lambda buckets: _take(buckets, 1))
