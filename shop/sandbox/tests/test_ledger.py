"""A provider's books: many works in one transaction, each for itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from shop.sandbox.ledger import Ledger

SCHEMA = """
PRAGMA foreign_keys = ON;
CREATE TABLE rows (
    key TEXT PRIMARY KEY, other TEXT REFERENCES rows DEFERRABLE INITIALLY DEFERRED
) WITHOUT ROWID;
"""
Work = Callable[[sqlite3.Connection], str]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "books.sqlite3", SCHEMA)


def add(name: str, db: sqlite3.Connection, other: str | None = None) -> str:
    db.execute("INSERT INTO rows VALUES (?, ?)", (name, other))
    return name


def add_and_break(db: sqlite3.Connection) -> str:
    add("broken", db)
    raise LookupError


def all_of(ledger: Ledger, *works: Work) -> list[object]:
    """What each work has returned, or raised; all asked for at the same moment."""

    async def ask() -> list[object]:
        return await asyncio.gather(*(ledger.write(work) for work in works), return_exceptions=True)

    return asyncio.run(ask())


def kept(ledger: Ledger) -> list[str]:
    return [name for name in ("a", "b", "broken") if ledger.has("rows", name)]


def test_works_of_one_moment_are_committed_together(ledger: Ledger) -> None:
    said: list[str] = []
    ledger._db.set_trace_callback(said.append)
    assert all_of(ledger, partial(add, "a"), partial(add, "b"), partial(add, "c")) == ["a", "b", "c"]
    assert said.count("COMMIT") == 1


def test_a_work_that_breaks_takes_back_its_own_and_no_others(ledger: Ledger) -> None:
    first, broken, last = all_of(ledger, partial(add, "a"), add_and_break, partial(add, "b"))
    assert (first, type(broken), last) == ("a", LookupError, "b")
    assert kept(ledger) == ["a", "b"]


def test_when_the_commit_fails_nobody_is_told_that_it_is_done(ledger: Ledger) -> None:
    nowhere = partial(add, "a", other="nowhere")
    assert [type(answer) for answer in all_of(ledger, nowhere, partial(add, "b"))] == [
        sqlite3.IntegrityError
    ] * 2
    assert kept(ledger) == []
    assert all_of(ledger, partial(add, "b")) == ["b"]
    assert kept(ledger) == ["b"]
