"""Which of the relays gathers, confirms and prunes: one at a time, and none that knows too few subscribers.

While a new version is rolled out, relays of both run. An old one does not know who has come to hear an event; did it
confirm one, the new receiver would never get it. So those leave it to the relay that started last.
"""

from __future__ import annotations

import os
from typing import Any

import psycopg
from django.conf import settings

from shop.messaging import subscriptions
from shop.messaging.rows import execute
from shop.messaging.tables import database_of, outbox_of, services

LISTENER = "relay"  # how its connections are called in pg_stat_activity; its healthcheck looks for it
LEADS = 0x6F7574626F78  # "outbox": the advisory lock of the relay that leads
STILL = 12.0  # s; a relay whose connection has been silent for so much longer than `look` leaves it hangs, or is frozen
# A frozen process keeps its connection: that it moves is told by its last statement there, the one of `look`. Who may not
# see when that was takes it for moving.
CONNECTED = f"""
    SELECT pid, application_name, coalesce(extract(epoch FROM clock_timestamp() - state_change), 0)::float8 AS silent
    FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '{LISTENER} %%'
"""


def leads_in() -> str:
    """The database in which all relays look for who leads."""
    return database_of(outbox_of(services()[0]))


def _relays(connection: psycopg.Connection[Any]) -> list[list[str]]:
    """The names of the relays that are connected, in words."""
    rows = connection.execute(
        "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name LIKE %s",
        [f"{LISTENER} %"],
    ).fetchall()
    return [name.split() for (name,) in rows]


def still_after() -> float:
    """s without a statement after which a relay counts as standing still."""
    return STILL + float(settings.MESSAGING["POLL_EVERY"])


def running() -> int:
    """How many relays are connected and move, as that database sees it."""
    sql = f"SELECT count(*) FROM ({CONNECTED}) AS relay WHERE silent < %s"
    ((count,),) = execute(outbox_of(services()[0]), sql, still_after(), fetch=True)
    return int(count)


class Leading:
    """What one relay may do, as told by a database's connections: their names say what each relay knows, and since when.

    ``leads``: it is the one that gathers, confirms and prunes. ``is_current``: no relay that knows other subscribers has
    started later.
    """

    def __init__(self) -> None:
        self.leads, self.is_current = False, True
        self._knows = subscriptions.digest()
        self._started = ""
        self._connection: psycopg.Connection[Any] | None = None

    def connected(self, connection: psycopg.Connection[Any]) -> None:
        """Take this connection, new and in autocommit mode, for the lock, and name it."""
        if (
            not self._started
        ):  # by the database's clock, which all relays share; it may have been set back since
            ((milliseconds,),) = connection.execute(
                "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
            ).fetchall()
            behind = max((int(started) + 1 for _, started, *_ in _relays(connection)), default=0)
            self._started = f"{max(milliseconds, behind)} {os.getpid()}"
        name = f"{LISTENER} {self._started} {self._knows}"
        connection.execute("SELECT set_config('application_name', %s, false)", [name])
        self._connection, self.leads = connection, False

    def disconnected(self) -> None:
        """It may not lead until it is connected again."""
        self._connection, self.leads = None, False

    def look(self) -> None:
        """Take the lead if nobody has it; leave it to a later relay that knows other subscribers."""
        if self._connection is None:
            return
        latest = max(_relays(self._connection), key=lambda words: int(words[1]))
        self.is_current = latest[-1] == self._knows
        if self.is_current and not self.leads:
            self.leads = self._ask("SELECT pg_try_advisory_lock(%s)")
        elif self.leads and not self.is_current:
            self._ask("SELECT pg_advisory_unlock(%s)")
            self.leads = False

    def _ask(self, sql: str) -> bool:
        assert self._connection  # noqa: S101 (tells mypy; who calls has looked)
        row = self._connection.execute(sql, [LEADS]).fetchone()
        return bool(row and row[0])
