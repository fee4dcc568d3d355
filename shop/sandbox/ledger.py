"""A provider's books: one SQLite file that a kill -9 leaves whole."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")


class Ledger:
    """One connection, used by the event loop's thread alone."""

    def __init__(self, file: Path, schema: str) -> None:
        self._db = sqlite3.connect(file, isolation_level=None, timeout=5)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # what was answered is on disk
        self._db.executescript(schema)
        self._waiting: list[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]]] = []

    def close(self) -> None:
        self._db.close()

    async def write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do this work. When it returns, everything in it is on disk; when it raises, nothing of it has happened.

        What is asked for at the same moment is committed together, so that many wait for one disk write.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._commit)
        self._waiting.append((work, done))
        return await done

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            outcomes = [self._by_itself(work) for work, _ in waiting]
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            outcomes = [(None, error)] * len(waiting)
        for (_, done), (result, failure) in zip(waiting, outcomes, strict=True):
            if done.cancelled():
                continue
            if failure:
                done.set_exception(failure)
            else:
                done.set_result(result)

    def _by_itself(self, work: Callable[[sqlite3.Connection], Any]) -> tuple[Any, Exception | None]:
        """A work that raises takes only its own changes back."""
        self._db.execute("SAVEPOINT work")
        try:
            result, failure = work(self._db), None
        except Exception as error:
            result, failure = None, error
            self._db.execute("ROLLBACK TO work")
        self._db.execute("RELEASE work")
        return result, failure

    def has(self, table: str, key: str) -> bool:
        found = self._db.execute(f"SELECT 1 FROM {table} WHERE key = ?", (key,))
        return found.fetchone() is not None

    def page(self, after: int, limit: int) -> list[dict[str, object]]:
        """The movements after this id. Writers take turns, so none with a smaller id turns up later."""
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
