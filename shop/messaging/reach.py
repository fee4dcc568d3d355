"""Which of the services' databases answer. One that is away holds up what lies in it, and nothing else.

Where all services share one database there is nothing else: then whatever breaks is raised, and the relay waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import InterfaceError, OperationalError, connections

from shop.messaging.tables import database_of, outbox_of, services

logger = logging.getLogger(__name__)

LEFT_ALONE = 2.0  # s, then a database that was away is tried again
AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)

_away: dict[str, float] = {}  # until when


def databases() -> list[str]:
    """The databases of all services, each once."""
    return sorted({_database(service) for service in services()})


def answers(database: str) -> bool:
    """Whether it is worth a try."""
    return time.monotonic() >= _away.get(database, 0.0)


def within_reach(some: Iterable[str]) -> list[str]:
    """Those of these services whose databases are worth a try."""
    return [service for service in some if answers(_database(service))]


@contextmanager
def only_holding_up(service: str) -> Iterator[None]:
    """What breaks in this block as the service's database is away ends the block, and nothing else."""
    with only_losing(_database(service)):
        yield


@contextmanager
def only_losing(database: str) -> Iterator[None]:
    """The same, of a database."""
    try:
        yield
    except AWAY as error:
        if len(databases()) == 1:
            raise
        _away[database] = time.monotonic() + LEFT_ALONE
        connections[database].close()
        logger.warning(
            "The database %s is left alone for %g s: %s", database, LEFT_ALONE, str(error).partition("\n")[0]
        )


def database_away(error: Exception) -> str:
    """Whose being away has broken something; empty: it was something else."""
    if not isinstance(error, AWAY) or len(databases()) == 1:
        return ""
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block or (connection.connection and connection.is_usable()):
            continue
        connection.close()
        try:
            connection.ensure_connection()
        except AWAY:
            return str(connection.alias)
    return ""


def _database(service: str) -> str:
    return database_of(outbox_of(service))
