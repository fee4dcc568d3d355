"""Where each order of a restored database stands: one row of plain words per order, in every service and both books."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

Position = dict[str, str | None]
SERVICES = ("orders", "inventory", "payments", "shipping", "notifications")
BOOKS = {"money": "payments", "carried": "carrier"}  # column: whose ledger

_OUTBOXES = " UNION ALL ".join(
    f"SELECT event_id, type, order_id, created_at, due_at FROM {service}_outbox" for service in SERVICES
)
_INBOXES = " UNION ALL ".join(
    f"SELECT order_id, receiver, state FROM {service}_inbox" for service in SERVICES
)
# unsent: no relay has claimed it. untold: orders, which hears every event, has no inbox row of it.
_POSITIONS = f"""
    WITH outbox AS ({_OUTBOXES}), inbox AS ({_INBOXES})
    SELECT split_part(o.idempotency_key, '/', 1) AS moment, o.style, 'S-' || 100000 + o.id AS number, o.status,
        s.state AS saga, s.step, s.undo, r.state AS stock, p.state AS payment, h.state AS shipment,
        (SELECT string_agg(state, ' ' ORDER BY warehouse) FROM shipping_parcel WHERE shipment_id = o.uuid) AS parcels,
        (SELECT string_agg(template || ' ' || state, ', ') FROM notifications_notification n
            WHERE n.order_id = o.uuid) AS mails,
        (SELECT string_agg(DISTINCT receiver, ' ') FROM inbox WHERE order_id = o.uuid AND state = 'failing') AS failing,
        (SELECT string_agg(DISTINCT receiver, ' ') FROM inbox WHERE order_id = o.uuid AND state = 'parked') AS parked,
        (SELECT string_agg(DISTINCT type, ' ') FROM outbox WHERE order_id = o.uuid AND due_at = created_at) AS unsent,
        (SELECT string_agg(DISTINCT type, ' ') FROM outbox WHERE order_id = o.uuid
            AND event_id NOT IN (SELECT event_id FROM orders_inbox)) AS untold,
        split_part(s.last_error, ':', 1) AS broke
    FROM orders_order o JOIN orders_saga s ON s.order_id = o.id
    LEFT JOIN inventory_reservation r ON r.order_id = o.uuid
    LEFT JOIN payments_payment p ON p.order_id = o.uuid
    LEFT JOIN shipping_shipment h ON h.order_id = o.uuid
    ORDER BY o.id
"""


def positions(database_url: str, ledgers: Path) -> list[Position]:
    """Of every order, oldest first. ``ledgers``: the folder with both providers' SQLite files."""
    books = {column: _books(ledgers / f"{provider}.sqlite3") for column, provider in BOOKS.items()}
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        rows: list[Position] = list(connection.execute(_POSITIONS))
    return [
        row | {column: of_order.get(str(row["number"])) for column, of_order in books.items()} for row in rows
    ]


def _books(ledger: Path) -> dict[str, str]:
    """The kinds of movement by order number, in alphabetical order."""
    kinds: dict[str, set[str]] = defaultdict(set)
    connection = sqlite3.connect(ledger)
    try:
        for number, kind in connection.execute("SELECT order_number, kind FROM movements"):
            kinds[number].add(kind)
    finally:
        connection.close()
    return {number: " ".join(sorted(some)) for number, some in kinds.items()}
