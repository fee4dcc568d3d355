"""The saga of the systems beside the shop: an order of two lines and five steps, one durable commit each.

Each is one statement and idempotent by the tables' keys, so that it can be repeated after a crash.
"""

from __future__ import annotations

import os
import random
import threading
from typing import Any

import psycopg
from psycopg import errors

URL = "BENCHMARK_DATABASE_URL"
PRODUCTS = 1000
CREATE = """
    WITH o AS (INSERT INTO orders (customer, total) VALUES (1, 100) RETURNING id),
    l AS (INSERT INTO order_line (order_id, sku_id, qty) SELECT o.id, sku, 1 FROM o, unnest(%(skus)s::int[]) sku)
    SELECT id FROM o
"""
RESERVE = """
    WITH l AS MATERIALIZED (SELECT sku_id, qty FROM order_line WHERE order_id = %(order)s ORDER BY sku_id),
    r AS (
        INSERT INTO reservation (order_id, sku_id, qty) SELECT %(order)s, sku_id, qty FROM l
        ON CONFLICT DO NOTHING RETURNING sku_id, qty
    )
    UPDATE stock s SET available = s.available - r.qty, reserved = s.reserved + r.qty
    FROM r WHERE s.sku_id = r.sku_id
"""
CHARGE = """
    INSERT INTO payment (order_id, amount) SELECT id, total FROM orders WHERE id = %(order)s ON CONFLICT DO NOTHING
"""
SHIP = """
    INSERT INTO shipment (order_id, label) VALUES (%(order)s, 'LBL' || %(order)s::text) ON CONFLICT DO NOTHING
"""
NOTIFY = "INSERT INTO notification (order_id, kind) VALUES (%(order)s, 'confirmation') ON CONFLICT DO NOTHING"
COMPLETE = """
    UPDATE orders SET status = 9, completed_at = clock_timestamp() WHERE id = %(order)s AND completed_at IS NULL
"""
STEPS = (RESERVE, CHARGE, SHIP, NOTIFY, COMPLETE)
ENDED = """
    SELECT count(*), coalesce(extract(epoch FROM max(completed_at)), 0) FROM orders
    WHERE id > %s AND completed_at IS NOT NULL
"""
ATTEMPTS = 10

_kept = threading.local()


def connection() -> psycopg.Connection[tuple[Any, ...]]:
    """One for each thread, kept; statements are prepared on the server at once."""
    found: psycopg.Connection[tuple[Any, ...]] | None = getattr(_kept, "connection", None)
    if found is None or found.closed:
        found = psycopg.connect(os.environ[URL], autocommit=True, prepare_threshold=0)
        _kept.connection = found
    return found


def ask(query: str, *values: object) -> tuple[Any, ...]:
    """The only row of the answer."""
    row = connection().execute(query.encode(), values).fetchone()
    assert row is not None  # each of our questions has an answer
    return row


def place() -> int:
    """Store an order of two of the products; its number."""
    cursor = _run(CREATE, {"skus": random.sample(range(1, PRODUCTS + 1), 2)})
    row = cursor.fetchone()
    assert row is not None  # an INSERT that returns
    return int(row[0])


def step(number: int, order: int) -> None:
    """Do the step with this number, from 0, for an order, in a commit of its own."""
    _run(STEPS[number], {"order": order})


def _run(statement: str, values: dict[str, object]) -> psycopg.Cursor[tuple[Any, ...]]:
    for _ in range(ATTEMPTS):
        try:
            return connection().execute(statement.encode(), values)
        except (errors.DeadlockDetected, errors.SerializationFailure):
            continue  # two orders met at the same products
    raise RuntimeError(f"A statement failed {ATTEMPTS} times.")
