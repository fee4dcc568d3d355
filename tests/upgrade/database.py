"""What is done to the database of a dump in the making: changes that break, and timers put off.

All rows of a dump are written by the shop itself; only its timers are set from here.
"""

from __future__ import annotations

import psycopg
from psycopg.types.json import Jsonb

from tests.upgrade.moments import MOMENTS
from tests.upgrade.position import SERVICES

# A change that is to break does so as a fault of the database would: with an error, in the transaction it is made in.
_BREAK = """
    CREATE TABLE breaks (moment text, "table" text, change jsonb);
    CREATE FUNCTION break_row() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        changed jsonb := to_jsonb(NEW);
    BEGIN
        IF EXISTS (
            SELECT FROM breaks JOIN public.orders_order o ON split_part(o.idempotency_key, '/', 1) = breaks.moment
            WHERE breaks."table" = TG_TABLE_NAME AND changed @> breaks.change AND (
                o.uuid::text IN (changed->>'uuid', changed->>'order_id', changed->>'shipment_id')
                OR o.id::text = changed->>'order_id'
            )
        ) THEN
            RAISE EXCEPTION 'made to fail for a test';
        END IF;
        RETURN NEW;
    END $$;
"""
# (table, column, rows that wait for that moment)
_TIMERS = (
    ("orders_saga", "deadline", "state = 'running'"),
    *(
        (f"{service}_outbox", "due_at", "confirmed_at IS NULL AND due_at > created_at")
        for service in SERVICES
    ),
    *((f"{service}_inbox", "due_at", "state = 'failing'") for service in SERVICES),
)


def break_rows(database_url: str) -> None:
    """Have the changes of rows that the moments name break."""
    broken = [(name, *broken) for name, moment in MOMENTS.items() for broken in moment.breaks]
    with psycopg.connect(database_url) as connection:
        connection.execute(_BREAK)
        for name, table, change in broken:
            connection.execute("INSERT INTO breaks VALUES (%s, %s, %s)", [name, table, Jsonb(change)])
        for table in {table for _, table, _ in broken}:
            connection.execute(
                f"CREATE TRIGGER break_row BEFORE INSERT OR UPDATE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION break_row()"
            )


def mend_rows(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("DROP FUNCTION break_row() CASCADE")
        connection.execute("DROP TABLE breaks")


def put_off(database_url: str) -> None:
    """Move what would be tried again by a relay an hour away."""
    _set_timers(database_url, "now() + interval '1 hour'")


def make_due(database_url: str) -> None:
    """Whoever restores the dump finds everything overdue, as after any stop of the shop."""
    _set_timers(database_url, "now()")


def _set_timers(database_url: str, moment: str) -> None:
    with psycopg.connect(database_url) as connection:
        for table, column, waiting in _TIMERS:
            connection.execute(f"UPDATE {table} SET {column} = {moment} WHERE {waiting}")
