"""What can go wrong at a provider, on request: being slow, being down, and being busy with a key already."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shop.sandbox.web import Problem

OUTAGES = "CREATE TABLE IF NOT EXISTS outages (key TEXT PRIMARY KEY, since REAL NOT NULL) WITHOUT ROWID;"


@dataclass(frozen=True)
class Timing:
    slow_seconds: float = 2.0
    down_seconds: float = 5.0

    @classmethod
    def from_environment(cls) -> Timing:
        slow = _seconds("SANDBOX_SLOW_SECONDS", cls.slow_seconds)
        return cls(slow, _seconds("SANDBOX_DOWN_SECONDS", cls.down_seconds))

    def down(self, db: sqlite3.Connection, key: str) -> bool:
        """Whether the provider is still down for this key, counted from the first time the key was seen."""
        moment = time.time()  # wall clock: an outage goes on over a restart
        db.execute("INSERT OR IGNORE INTO outages (key, since) VALUES (?, ?)", (key, moment))
        (since,) = db.execute("SELECT since FROM outages WHERE key = ?", (key,)).fetchone()
        return bool(since <= moment < since + self.down_seconds)  # else the clock was set back


def _seconds(name: str, default: float) -> float:
    try:
        value = float(os.environ.get(name, default))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        raise SystemExit(f"{name} must be a number of seconds from 0 to 3600.")
    return value


class Underway:
    """The keys being processed right now. In memory: after a crash nothing is being processed."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    @contextmanager
    def __call__(self, key: str) -> Iterator[None]:
        if key in self._keys:
            raise Problem(409, "in_progress", "a request with this key is being processed")
        self._keys.add(key)
        try:
            yield
        finally:
            self._keys.discard(key)


def reused_key() -> Problem:
    return Problem(409, "idempotency_error", "this key was used before with other parameters")


def unavailable() -> Problem:
    return Problem(503, "unavailable", "the provider is down; try again later with the same key")
