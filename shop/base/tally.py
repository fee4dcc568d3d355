"""What no table tells is counted in the processes, and summed up in Redis, for ``manage.py metrics`` to show.

Counting is an addition in memory; a thread carries the sums over now and then. Who is killed takes no more with it.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator

import redis
from django.conf import settings

EVERY = 1.0  # s
MOST = 1_000  # sums that are kept while Redis is away
PATIENCE = 1.0  # s
BETWEEN = "|"

logger = logging.getLogger(__name__)


class Tally:
    """Sums of this process; by name and labels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums = Counter[str]()
        self._thread: threading.Thread | None = None

    def add(self, name: str, *labels: str, times: int = 1) -> None:
        key = BETWEEN.join((name, *labels))
        with self._lock:
            if key in self._sums or len(self._sums) < MOST:
                self._sums[key] += times
            if self._thread is None or not self._thread.is_alive():  # a fork takes no thread along
                self._thread = threading.Thread(target=self._carry_over, name="tally", daemon=True)
                self._thread.start()

    def _carry_over(self) -> None:
        """Until there is nothing more to carry over."""
        pause = threading.Event()
        while not pause.wait(EVERY):
            with self._lock:
                sums, self._sums = self._sums, Counter()
                if not sums:
                    self._thread = None
                    return
            try:
                with _client() as client, client.pipeline(transaction=False) as pipeline:
                    for key, times in sums.items():
                        pipeline.hincrby(_place(), key, times)
                    pipeline.execute()
            except redis.RedisError as error:
                logger.debug("Sums are kept until Redis is back: %s", error)
                with self._lock:
                    self._sums += sums


def sums() -> Iterator[tuple[str, list[str], int]]:
    """Name, labels and sum of each. Raises redis.RedisError."""
    with _client() as client:
        found = client.hgetall(_place())
    for key, value in found.items():
        name, *labels = key.decode().split(BETWEEN)
        yield name, labels, int(value)


def _place() -> str:
    return f"{settings.REDIS_PREFIX}tally"


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


tally = Tally()
