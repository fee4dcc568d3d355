"""What lies about: events that nobody has, messages that wait for a person, providers that are away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql

from shop.base.spans import span
from shop.messaging.dead_letters import dead_letters_of
from shop.messaging.outages import outages_of
from shop.messaging.tables import confirmed_sequence, inbox_of, outbox_of
from shop.tools.doctor.database import Connection, connect
from shop.tools.doctor.findings import Findings, Scribe, Unknown
from shop.tools.doctor.installation import Installation

OLD = 60.0  # s in which an event should be with all who hear it, even if it had to be sent again
MOST = 10_000  # that are counted
say = Scribe("work")
# Each by an index, as the control room asks it.
UNCONFIRMED = """
    SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM (
        (SELECT created_at FROM {outbox} WHERE due_at IS NOT NULL ORDER BY due_at LIMIT {most})
        UNION ALL
        (SELECT created_at FROM {outbox} WHERE due_at IS NULL AND id > (SELECT last_value FROM {position})
         ORDER BY id LIMIT {most})
    ) AS event
"""
PARKED = "SELECT count(*) FROM {inbox} WHERE NOT (state = 'done') AND state = 'parked'"
AWAY = "SELECT provider, extract(epoch FROM now() - since)::float8 FROM {outage}"


def check(shop: Installation) -> Findings:
    for service in shop.services:
        try:
            with connect(shop.databases[service if service in shop.databases else "default"]) as connection:
                yield from _of(service, connection)
        except psycopg.Error as error:
            raise Unknown from error  # the database's own check says so


def _of(service: str, connection: Connection) -> Findings:
    names = {"outbox": outbox_of(service)._meta.db_table, "position": confirmed_sequence(service)}
    admin = f"/admin/{service}"
    unconfirmed, oldest = _row(connection, UNCONFIRMED, names)
    if oldest > OLD:
        yield say.worry(
            f"{unconfirmed:,} events of {service} have not reached all who hear them; the oldest has waited for "
            f"{span(timedelta(seconds=oldest))}.",
            f"See whether relay and workers run (they have checks of their own), and {admin}/outbox/?confirmed=no.",
        )
    (parked,) = _row(connection, PARKED, {"inbox": inbox_of(service)._meta.db_table})
    if parked:
        yield say.worry(
            f"{parked:,} messages to {service} are parked, and wait for a person.",
            f"See why, and send them again: {admin}/inbox/?state__exact=parked.",
        )
    (dead,) = _row(
        connection, "SELECT count(*) FROM {dead}", {"dead": dead_letters_of(service)._meta.db_table}
    )
    if dead:
        yield say.worry(
            f"{dead:,} messages came to {service} of which nothing could be made.",
            f"See what they are and who sends them: {admin}/deadletter/.",
        )
    if outage := outages_of(service):
        for provider, seconds in connection.execute(
            _filled(AWAY, {"outage": outage._meta.db_table})
        ).fetchall():
            yield say.worry(
                f"The {provider} has been down for {span(timedelta(seconds=seconds))}; what {service} needs it for "
                "waits.",
                "Ask the provider; orders go on when it is back.",
            )


def _row(connection: Connection, text: str, names: dict[str, str]) -> tuple[Any, ...]:
    return connection.execute(_filled(text, names)).fetchone() or (0, 0.0)


def _filled(text: str, names: dict[str, str]) -> sql.Composed:
    parts = {name: sql.Identifier(table) for name, table in names.items()}
    return sql.SQL(text).format(**parts, most=sql.Literal(MOST))
