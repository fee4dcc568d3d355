"""What lies in the services' outboxes, inboxes, dead letters and incidents; services that share a database are asked
at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from shop.messaging.dead_letters import dead_letters_of
from shop.messaging.reach import by_database, only_holding_up
from shop.messaging.rows import Found, execute
from shop.messaging.tables import confirmed_sequence, inbox_of, incidents_of, outbox_of

MOST = 10_000  # events of an outbox that are counted; where there are more, that is said
SILENT_AT_MOST = 5  # edges told of, of one database

# What nobody has confirmed yet is due, or behind the position up to which all is confirmed: both by an index.
BOXES = """
    SELECT '{service}', waiting.*, inbox.*, dead.*, incident.*
    FROM (
        SELECT count(*), extract(epoch FROM statement_timestamp() - min(created_at)) FROM (
            (SELECT created_at FROM {outbox} WHERE due_at IS NOT NULL ORDER BY due_at LIMIT {most})
            UNION ALL
            (SELECT created_at FROM {outbox} WHERE due_at IS NULL AND id > (SELECT last_value FROM {position})
             ORDER BY id LIMIT {most})
        ) AS event
    ) AS waiting, (
        SELECT count(*) FILTER (WHERE state = '{failing}'), count(*) FILTER (WHERE state = '{parked}')
        FROM {inbox} WHERE NOT (state = '{done}')
    ) AS inbox,
    (SELECT count(*) FROM {dead_letters}) AS dead,
    (SELECT count(*) FROM {incidents} WHERE closed_at IS NULL) AS incident
"""
SILENT = """
    SELECT '{service}', receiver, type, count(*), min(since) FROM {incidents} WHERE closed_at IS NULL GROUP BY 2, 3
"""


@dataclass(frozen=True)
class Boxes:
    """Of one service. ``unconfirmed``: events in the outbox that not all who hear them are known to have; ``oldest``:
    since when the oldest of them is."""

    service: str
    unconfirmed: int
    oldest: timedelta | None
    failing: int
    parked: int
    dead: int
    silent: int

    @property
    def is_cut(self) -> bool:
        return self.unconfirmed >= MOST


@dataclass(frozen=True)
class Silent:
    """Who has not reacted in time, to which of a service's events, how often, since when."""

    service: str
    receiver: str
    event: str
    count: int
    since: datetime


def boxes() -> dict[str, Boxes]:
    """By service; one whose database is away is missing. One query a database."""
    return {
        service: Boxes(
            service,
            min(unconfirmed, MOST),
            None if age is None else timedelta(seconds=max(0.0, float(age))),
            *numbers,
        )
        for service, unconfirmed, age, *numbers in _ask(settings.SERVICES, BOXES)
    }


def silent_edges(services: Sequence[str]) -> list[Silent]:
    """Of these services' incidents, those with the most orders. One query a database."""
    rows = sorted(_ask(services, SILENT), key=lambda row: (-row[3], row[4]))
    return [Silent(*row) for row in rows[:SILENT_AT_MOST]]


def _ask(services: Sequence[str], sql: str) -> Iterator[tuple[Any, ...]]:
    for sharing in by_database(services):
        found: Found = []
        with only_holding_up(sharing[0]):
            found += execute(
                outbox_of(sharing[0]),
                " UNION ALL ".join(_of(sql, service) for service in sharing),
                fetch=True,
            )
        yield from found


def _of(sql: str, service: str) -> str:
    inbox = inbox_of(service)
    return sql.format(
        service=service,
        outbox=outbox_of(service)._meta.db_table,
        position=confirmed_sequence(service),
        inbox=inbox._meta.db_table,
        incidents=incidents_of(service)._meta.db_table,
        dead_letters=dead_letters_of(service)._meta.db_table,
        most=MOST,
        failing=inbox.State.FAILING,
        parked=inbox.State.PARKED,
        done=inbox.State.DONE,
    )
