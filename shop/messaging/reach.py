"""Which of the services' databases answer. One that is away holds up what lies in it, and nothing else.

What waited for it was tried in vain meanwhile, at longer and longer intervals; once it is back that is over, and who has
said so with ``when_back`` sees to it.

Where all services share one database there is nothing else: then whatever breaks is raised, and the relay waits.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import InterfaceError, OperationalError, connections

from shop.messaging.tables import database_of, outbox_of, services

logger = logging.getLogger(__name__)

LEFT_ALONE = 2.0  # s, then a database that was away is tried again
AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
NO_CONNECTION, SHUT = "08", ("57P01", "57P02", "57P03")  # what PostgreSQL says, if it still says anything

_away: dict[str, float] = {}  # until when
_lost: set[str] = set()  # away, and since then nobody has been let in
_to_call: list[Callable[[], object]] = []


def databases() -> list[str]:
    """The databases of all services, each once."""
    return sorted({_database(service) for service in services()})


def answers(database: str) -> bool:
    """Whether it is worth a try."""
    return time.monotonic() >= _away.get(database, 0.0)


def within_reach(some: Iterable[str]) -> list[str]:
    """Those of these services whose databases are worth a try."""
    return [service for service in some if answers(_database(service))]


def by_database(some: Iterable[str]) -> list[list[str]]:
    """Those of these services whose databases are worth a try; those that share one are together, to be asked at once."""
    sharing: dict[str, list[str]] = defaultdict(list)
    for service in within_reach(some):
        sharing[_database(service)].append(service)
    return [*sharing.values()]


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
        _lost.add(database)
        connections[database].close()
        logger.warning(
            "The database %s is left alone for %g s: %s", database, LEFT_ALONE, str(error).partition("\n")[0]
        )


def is_out_of_reach(error: Exception) -> bool:
    """Whether one of several databases is away; not that it took too long, or that somebody else held a lock."""
    if len(databases()) == 1 or not isinstance(error, AWAY):
        return False
    said = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    return said is None or said in SHUT or said.startswith(NO_CONNECTION)


def when_back(function: Callable[[], object]) -> Callable[[], object]:
    """Have each relay call a function when a database is back; it must be safe to run in several at once."""
    _to_call.append(function)
    return function


def lets_in(database: str) -> None:
    """Somebody is connected to this database. If it had been away, what waited for it is taken up."""
    if database in _lost:
        _lost.discard(database)
        logger.warning("The database %s is back.", database)
        for function in _to_call:
            function()


def _database(service: str) -> str:
    return database_of(outbox_of(service))
