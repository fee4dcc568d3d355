"""Completed orders by the hundred thousand: copies of a few real ones, all their rows in all apps, made by set SQL.

What is here runs in a client's process, where Django is set up. Columns are found from the models: what they hold of an
order (its id, number, keys, events, times) becomes the copy's own, all else is copied. Ids and times grow together, as
they do when orders are placed one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.steps import PRODUCTS

AT_ONCE = 50_000  # orders copied in one statement a table
OLDEST, NEWEST = "60 days", "2 days"  # when the first and the last of the copies were placed
# Parts of UUIDs of version 7: a copy's time, and its number. Its events and keys differ by the three digits between.
UUID = "(c.time || '7000' || '8' || c.tail)::uuid"
EVENT = "(c.time || '7' || e.digits || '8' || c.tail)::uuid"
KEY = "c.time || '7fff' || '8' || c.tail"


def grow(orders: int) -> None:
    """Add so many copies of the completed orders there are (to begin with: a few), in turn."""
    with _cursor() as cursor:
        # No one waits for these commits; what the rows refer to is there.
        cursor.execute("SET synchronous_commit = off; SET session_replication_role = replica")
        tables = list(_tables())
        _take_samples(cursor, tables)
        lines = _one(cursor, "SELECT coalesce(max(id), 0) FROM inventory_reservationline")
        first = _one(cursor, "SELECT max(id) + 1 FROM orders_order")
        for begin in range(0, orders, AT_ONCE):
            _copy(cursor, tables, first, begin, min(begin + AT_ONCE, orders), orders)
        _settle(cursor, lines)


def _cursor() -> Any:
    from django.db import connection

    return connection.cursor()


def _one(cursor: Any, sql: str) -> int:
    cursor.execute(sql)
    return int(cursor.fetchone()[0])


def _tables() -> Iterator[Any]:
    """The models whose rows belong to one order each."""
    from django.apps import apps
    from django.conf import settings

    beside = {"Product", "Warehouse", "Stock", "Receipt", "DeadLetter", "Outage"}
    beside |= {"WebhookEndpoint", "WebhookDelivery"}  # of customers who want them
    for service in settings.SERVICES:
        yield from (
            model for model in apps.get_app_config(service).get_models() if model.__name__ not in beside
        )


def _own(model: Any) -> str:
    """How a row (``t``) of this model is known to be of a sample (``s``)."""
    names = {field.attname: field.get_internal_type() for field in model._meta.concrete_fields}
    if model.__name__ == "Order":
        return "t.id = s.id"
    if model.__name__ == "Mail":
        sent = "SELECT message_id FROM notifications_notification WHERE order_id = s.uuid"
        return f"t.message_id IN ({sent})"
    for name in ("reservation_id", "shipment_id"):
        if name in names:
            return f"t.{name} = s.uuid"
    return "t.order_id = s.uuid" if names["order_id"] == "UUIDField" else "t.order_id = s.id"


def _take_samples(cursor: Any, tables: list[Any]) -> None:
    """All rows of the first completed orders into tables of their own: those that are read grow otherwise."""
    cursor.execute(
        """
        DROP TABLE IF EXISTS sample, event, shelf;
        CREATE TEMP TABLE sample AS SELECT row_number() OVER (ORDER BY id) - 1 AS turn, id, uuid, placed_at,
            'S-' || 100000 + id AS number FROM orders_order WHERE status = 'completed' ORDER BY id LIMIT 2;
        CREATE TEMP TABLE shelf AS SELECT row_number() OVER (ORDER BY s.id) - 1 AS place, s.id, p.sku
            FROM inventory_stock s JOIN inventory_product p ON p.id = s.product_id;
        CREATE TEMP TABLE event (id uuid, digits text)
        """
    )
    for model in tables:
        table = model._meta.db_table
        _make_old(cursor, model)
        cursor.execute(
            f"""
            DROP TABLE IF EXISTS copied_{table};
            CREATE TEMP TABLE copied_{table} AS
            SELECT s.turn, t.*, row_number() OVER (PARTITION BY s.turn ORDER BY t) - 1 AS rank
            FROM {table} t JOIN sample s ON {_own(model)} ORDER BY {"t.id" if _has_id(model) else "s.turn"}
            """
        )
        if model.__name__ == "Outbox":
            cursor.execute(
                f"INSERT INTO event SELECT event_id, lpad(to_hex(row_number() OVER (ORDER BY event_id)"
                f" + (SELECT count(*) FROM event)), 3, '0') FROM copied_{table}"
            )
    cursor.execute("ANALYZE sample; ANALYZE event; ANALYZE shelf")


def _make_old(cursor: Any, model: Any) -> None:
    """The samples' ids are the lowest, so their times have to be, too."""
    columns = [
        field.column for field in model._meta.concrete_fields if field.get_internal_type() == "DateTimeField"
    ]
    if columns:
        ages = ", ".join(f"{column} = t.{column} - interval '{OLDEST}'" for column in columns)
        cursor.execute(
            f"UPDATE {model._meta.db_table} t SET {ages} FROM sample s "
            f"WHERE {_own(model)} AND s.placed_at > now() - interval '{NEWEST}'"
        )


def _has_id(model: Any) -> bool:
    return bool(model._meta.pk.attname == "id")


def _copy(cursor: Any, tables: list[Any], first: int, begin: int, end: int, orders: int) -> None:
    cursor.execute(
        f"""
        DROP TABLE IF EXISTS copies;
        CREATE TEMP TABLE copies AS
        SELECT {first} + i AS n, s.turn, s.uuid, s.number, m.at - s.placed_at AS later,
            lpad(to_hex((extract(epoch FROM m.at) * 1000)::bigint), 12, '0') AS time,
            lpad(to_hex({first} + i), 15, '0') AS tail
        FROM generate_series({begin}, {end - 1}) AS i,
            LATERAL (SELECT now() - interval '{OLDEST}'
                + i * (interval '{OLDEST}' - interval '{NEWEST}') / {orders} AS at) AS m
            JOIN sample s ON true WHERE s.turn = i % (SELECT count(*) FROM sample);
        ANALYZE copies
        """
    )
    for model in tables:
        table, values = model._meta.db_table, _values(model)
        cursor.execute(
            f"""
            INSERT INTO {table} ({", ".join(f'"{name}"' for name in values)}) SELECT {", ".join(values.values())}
            FROM copies c JOIN copied_{table} t ON t.turn = c.turn
            {"LEFT JOIN event e ON e.id = t.event_id" if "event_id" in values else ""}
            ORDER BY c.n
            """
        )


def _values(model: Any) -> dict[str, str]:
    """What each column of a copy is to hold."""
    shelf = f"FROM shelf WHERE place = (2 * c.n + t.rank) % {PRODUCTS}"
    known = {
        "number": "'S-' || 100000 + c.n",
        "event_id": EVENT,
        "message_id": f"'<' || {KEY} || '@shop>'",
        "reservation_id": UUID,
        "shipment_id": UUID,
        "uuid": UUID,
        "charge_key": f"replace({KEY}, '7fff', '7ffe')",
        "stock_id": f"(SELECT id {shelf})",
        **dict.fromkeys(("refund_key", "key", "idempotency_key"), KEY),
    }
    values = {}
    for field in model._meta.concrete_fields:
        name, kind = field.column, field.get_internal_type()
        if name == "id":
            if model.__name__ == "Order":
                values[name] = "c.n"
        elif name in known:
            values[name] = known[name]
        elif name == "order_id":
            values[name] = UUID if kind == "UUIDField" else "c.n"
        elif name == "sku":
            values[name] = f"(SELECT sku {shelf})"
        elif kind == "DateTimeField":
            values[name] = f"t.{name} + c.later"
        elif kind == "JSONField":
            its = f"replace(replace(t.{name}::text, c.uuid::text, ({UUID})::text), c.number, 'S-' || 100000 + c.n)"
            values[name] = f"replace({its}, e.id::text, ({EVENT})::text)::jsonb"
        else:
            values[name] = f't."{name}"'
    return values


def _settle(cursor: Any, lines: int) -> None:
    """What left the warehouse had come in; all events are confirmed; numbers go on behind the copies."""
    from django.conf import settings

    cursor.execute(
        f"""
        INSERT INTO inventory_receipt (stock_id, quantity, note, at)
        SELECT stock_id, sum(quantity), 'history', now() FROM inventory_reservationline WHERE id > {lines} GROUP BY 1;
        SELECT setval(pg_get_serial_sequence('orders_order', 'id'), (SELECT max(id) FROM orders_order))
        """
    )
    for service in settings.SERVICES:
        cursor.execute(f"SELECT setval('{service}_outbox_confirmed', (SELECT max(id) FROM {service}_outbox))")
