"""Queueing told from silence. What is late may just wait its turn: then nothing that came long after it has been handled,
and whoever is to handle it is busy."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import NamedTuple

from django.db import models

from shop.messaging import subscriptions
from shop.messaging.ids import time_of
from shop.messaging.reach import only_holding_up
from shop.messaging.rows import Found, as_array, execute
from shop.messaging.sending import crowded_services
from shop.messaging.subscriptions import Subscription
from shop.messaging.tables import inbox_of, outbox_of

BUSY = 15.0  # s; who has handled nothing for so long is not busy
OVERTAKEN = (
    5.0  # s later an event was published that has been handled: this one's message is lost, or swallowed
)
LATEST = 2_000  # rows that tell what a service has handled lately


class Turn(NamedTuple):
    """When the latest event that was handled had been published (Unix time), and whether more were just now."""

    latest: float
    busy: bool

    def is_ahead_of(self, published: float) -> bool:
        """Whether what was published then merely waits its turn."""
        return self.busy and self.latest < published + OVERTAKEN


def turns_of(receivers: set[Subscription]) -> dict[Subscription, Turn]:
    """How far each of these receivers has come. Raises what the broker raises."""
    long_queues = healthy_queues() if receivers else set()
    turns: dict[Subscription, Turn] = {}
    for service in {sub.service for sub in receivers}:
        handled = {receiver: (event_id, lately) for receiver, event_id, lately in _handled(service)}
        for sub in receivers:
            if sub.service == service:
                event_id, lately = handled.get(sub.receiver, (None, False))
                latest = time_of(event_id) if event_id else 0.0
                turns[sub] = Turn(latest, lately or service in long_queues)
    return turns


def _handled(service: str) -> Found:
    """(receiver, the youngest event it has handled lately, whether it did so just now)."""
    inbox = inbox_of(service)
    columns: list[tuple[str, str, type[models.Model]]] = [("receiver", "received_at", inbox)]
    columns += [(f"'{receiver}'", "NULL", table) for receiver, table in _noting(service).items()]
    parts = " UNION ALL ".join(
        f"(SELECT {receiver} AS receiver, event_id, {at}::timestamptz AS at FROM {table._meta.db_table} "
        f"ORDER BY id DESC LIMIT {LATEST})"
        for receiver, at, table in columns
    )
    found: Found = []
    with only_holding_up(service):
        found += execute(
            inbox,
            "SELECT receiver, (array_agg(event_id ORDER BY event_id DESC))[1], max(at) > now() - %s "
            f"FROM ({parts}) AS handled GROUP BY receiver",
            timedelta(seconds=BUSY),
            fetch=True,
        )
    return found


# --- Long queues ---------------------------------------------------------------------------------------------------

_seen: dict[str, tuple[int, float]] = {}  # by service: how much it has written, and since when no more


def healthy_queues() -> set[str]:
    """The services in whose queues many messages wait, and which get on with them.

    That one stands still only who asks again after a while is told. Raises what the broker raises.
    """
    crowded, now = crowded_services(), time.monotonic()
    for service in [*_seen]:
        if service not in crowded:
            del _seen[service]
    for service in crowded:
        written = _written(service)
        if service not in _seen or _seen[service][0] != written:
            _seen[service] = written, now
    return {service for service in crowded if now - _seen[service][1] < BUSY}


def _written(service: str) -> int:
    """Goes up whenever a service handles anything: it then publishes, or marks as handled, or takes note."""
    tables: list[type[models.Model]] = [outbox_of(service), inbox_of(service), *_noting(service).values()]
    names = {f"{table._meta.db_table}_id_seq" for table in tables}
    found: Found = [(-1,)]
    with only_holding_up(service):
        found = execute(
            tables[0],
            "SELECT coalesce(sum(last_value), 0)::bigint FROM pg_sequences "
            "WHERE schemaname = current_schema() AND sequencename = ANY(%s::varchar[])",
            as_array(names),
            fetch=True,
        )
    return int(found[0][0])


def _noting(service: str) -> dict[str, type[models.Model]]:
    """The receivers that only take note, each with the table in which it does."""
    return {
        sub.receiver: sub.noted_in for sub in subscriptions.every() if sub.service == service and sub.noted_in
    }
