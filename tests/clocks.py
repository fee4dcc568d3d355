"""Clocks that go wrong while the shop runs: that of a process, and that of PostgreSQL.

$MESSAGING_POINTS names this module for processes whose clocks can be set: at the first point that one comes by it begins
to follow the file called like itself in $CLOCKS, which says by how many seconds its clock is wrong. As when a host's
clock is set, ``time.monotonic`` goes on as before.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import time_machine

from shop.messaging.points import Point
from tests import points

LOOKS_EVERY = 0.02  # s

# Found before PostgreSQL's own, by whoever does not say pg_catalog; migrated with it in place, columns' defaults too. Not
# quite a clock: within a transaction now() goes with it, where PostgreSQL's stands still.
SETTABLE = (
    """
    CREATE SCHEMA clock;
    CREATE TABLE clock.wrong (by interval NOT NULL);
    INSERT INTO clock.wrong VALUES ('0 s');
"""
    + "".join(
        f"""
    CREATE FUNCTION clock.{name}() RETURNS timestamptz LANGUAGE sql {kind}
    AS 'SELECT pg_catalog.{name}() + by FROM clock.wrong';
    """
        for name, kind in (
            ("now", "STABLE"),
            ("transaction_timestamp", "STABLE"),
            ("statement_timestamp", "STABLE"),
            ("clock_timestamp", "VOLATILE"),
        )
    )
    + """
    ALTER DATABASE "{database}" SET search_path = public, clock, pg_catalog;
"""
)


def act(point: Point, about: str | Iterable[object]) -> None:
    _follow()
    points.act(point, about)


class _Clock:
    """This process's."""

    def __init__(self, file: Path) -> None:
        self._file, self._wrong, self._looking = file, 0.0, threading.Lock()
        self._traveller = time_machine.travel(timedelta(0)).start()
        time.time()  # from here on it goes
        self.look()

    def look(self) -> None:
        with self._looking:
            try:
                wrong = float(self._file.read_text())
            except FileNotFoundError:
                wrong = 0.0
            self._traveller.shift(wrong - self._wrong)
            self._wrong = wrong

    def watch(self) -> None:
        while True:
            time.sleep(LOOKS_EVERY)
            self.look()


_clocks: dict[int, _Clock] = {}  # by the process: one forked off has its own


def _follow() -> None:
    if clock := _clocks.get(os.getpid()):
        clock.look()
        return
    clock = _clocks[os.getpid()] = _Clock(Path(os.environ["CLOCKS"]) / _name(sys.argv))
    threading.Thread(target=clock.watch, daemon=True).start()


def _name(argv: list[str]) -> str:
    """As the supervisor calls it: ``relay``, ``webhooks``, ``worker-payments-2``."""
    return argv[1] if argv[1] != "worker" else f"worker-{argv[argv.index('--name') + 1]}"


@contextmanager
def process_wrong(folder: Path, names: Iterable[str], by: float) -> Iterator[None]:
    """The clocks of these processes are wrong by so many seconds."""
    files = [folder / name for name in names]
    for file in files:
        fresh = folder / f"{file.name}.new"
        fresh.write_text(str(by))
        fresh.rename(file)  # so that nobody reads half of it
    try:
        yield
    finally:
        for file in files:
            file.unlink()


@contextmanager
def databases_wrong(databases: Mapping[str, str], by: float) -> Iterator[None]:
    """The clock of PostgreSQL is wrong by so many seconds."""
    _set(databases, by)
    try:
        yield
    finally:
        _set(databases, 0)


def _set(databases: Mapping[str, str], by: float) -> None:
    for url in databases.values():
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("UPDATE clock.wrong SET by = make_interval(secs => %s)", [by])
