"""A provider's books: one SQLite file that a kill -9 leaves whole."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

Row = tuple[object, ...]


class Ledger:
    """One connection behind one lock: that wait is short and fair, SQLite's own busy-wait is neither."""

    def __init__(self, file: Path, schema: str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=5)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # what was answered is on disk
        self._db.executescript(schema)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything in it happens, on disk, before it ends; or nothing does."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def has(self, table: str, key: str) -> bool:
        with self._lock:
            found = self._db.execute(f"SELECT 1 FROM {table} WHERE key = ?", (key,))
            return found.fetchone() is not None

    def page(self, after: int, limit: int) -> list[dict[str, object]]:
        """The movements after this id. Writers take turns, so none with a smaller id turns up later."""
        with self._lock:
            query = "SELECT * FROM movements WHERE id > ? ORDER BY id LIMIT ?"
            return [dict(row) for row in self._db.execute(query, (after, limit))]


def insert(db: sqlite3.Connection, table: str, values: Mapping[str, object]) -> None:
    """Table and columns are named in the code, never by a request."""
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(values.values()))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def fingerprint(key: str, parameters: bytes) -> str:
    """Tells a changed request under a key apart without keeping what was in it."""
    return hashlib.blake2b(parameters, digest_size=16, key=hashlib.sha256(key.encode()).digest()).hexdigest()
