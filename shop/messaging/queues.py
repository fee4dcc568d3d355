"""Queueing told from silence. What is late may just wait its turn: then its service gets on with its work, and nothing
that was published long after it has been handled."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from django.db import models

from shop.messaging import subscriptions
from shop.messaging.ids import time_of
from shop.messaging.reach import only_holding_up
from shop.messaging.rows import Found, as_array, execute
from shop.messaging.sending import crowded_services
from shop.messaging.tables import inbox_of, outbox_of

GETS_ON = 15.0  # s; a service that has written nothing for so long does not get on
# s; when what was published so much later has been handled, this one's message is lost, or swallowed
OVERTAKEN = 5.0
LATEST = 2_000  # rows that tell what a service has handled lately
AT_LENGTH = (
    10  # times as long as it is expected to take anything may queue, but in a long queue that is worked off
)

_seen: dict[str, tuple[int, float]] = {}  # by service: how much it has written, and since when no more


class Turn(NamedTuple):
    """Whether a service gets on, whether many messages wait for it, and when the latest it has handled was published."""

    gets_on: bool
    crowded: bool
    latest: float  # Unix time

    def is_still_to_come(self, published: float, age: float, within: float) -> bool:
        """Whether what was published then, so many seconds ago, merely waits its turn."""
        overtaken = self.latest > published + OVERTAKEN
        return self.gets_on and not overtaken and (self.crowded or age < AT_LENGTH * within)


class Queues:
    """How it stands with the services' queues, asked once. Raises what the broker raises."""

    def __init__(self, services: Collection[str]) -> None:
        self._crowded = crowded_services() if services else {}
        self._gets_on = {service for service in services if gets_on(service)}
        self._latest: dict[tuple[str, str], float] = {}
        for service in services:
            for receiver, event_id in _latest_handled(service):
                self._latest[service, receiver] = time_of(UUID(event_id))

    def turn(self, service: str, receiver: str) -> Turn:
        """Of who only takes note it is not known what he has handled last: his events come from everywhere at once."""
        latest = self._latest.get((service, receiver), 0.0)
        return Turn(service in self._gets_on, service in self._crowded, latest)


def gets_on(service: str) -> bool:
    """Whether a service has written anything lately. That it has not, only who asks again after a while is told."""
    written, now = _written(service), time.monotonic()
    if service not in _seen or _seen[service][0] != written:
        _seen[service] = written, now
    return now - _seen[service][1] < GETS_ON


def _latest_handled(service: str) -> Found:
    """(receiver, the youngest event it has handled lately), of those whose ids tell the time: they are of version 7."""
    inbox = inbox_of(service)
    found: Found = []
    with only_holding_up(service):
        found += execute(
            inbox,
            f"""
            SELECT receiver, max(event_id::text)
            FROM (SELECT receiver, event_id FROM {inbox._meta.db_table} ORDER BY id DESC LIMIT {LATEST}) AS handled
            WHERE substr(event_id::text, 15, 1) = '7' GROUP BY receiver
            """,
            fetch=True,
        )
    return found


def _written(service: str) -> int:
    """Goes up whenever a service handles anything: it then publishes, or marks as handled, or takes note."""
    noting = {sub.noted_in for sub in subscriptions.every() if sub.service == service and sub.noted_in}
    tables: list[type[models.Model]] = [outbox_of(service), inbox_of(service), *noting]
    found: Found = [(-1,)]
    with only_holding_up(service):
        found = execute(
            tables[0],
            "SELECT coalesce(sum(last_value), 0)::bigint FROM pg_sequences "
            "WHERE schemaname = current_schema() AND sequencename = ANY(%s::varchar[])",
            as_array(f"{table._meta.db_table}_id_seq" for table in tables),
            fetch=True,
        )
    return int(found[0][0])
