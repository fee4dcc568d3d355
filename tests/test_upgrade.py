"""A database of the version before, with orders in flight at every moment, is upgraded by ``migrate`` alone."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.brokers import broker_environment
from tests.conftest import QUICK
from tests.upgrade.dumps import restore_dump
from tests.upgrade.moment import EACH
from tests.upgrade.moments import MOMENTS
from tests.upgrade.position import SERVICES, positions
from tests.upgrade.running import manage, one_database, running

BEFORE = Path(__file__).parent / "upgrade" / "97e1b6b"
PATIENCE = 60.0  # s until all orders have ended
ALL_INBOXES = " UNION ALL ".join(
    f"SELECT order_id, event_id, state FROM {service}_inbox" for service in SERVICES
)
ALL_OUTBOXES = " UNION ALL ".join(f"SELECT event_id, type FROM {service}_outbox" for service in SERVICES)
CONFIRMED = " UNION ALL ".join(  # as the version before knew it
    f"SELECT event_id FROM {service}_outbox WHERE confirmed_at IS NOT NULL" for service in SERVICES
)
NO_LONGER_KNOWN = (
    "('ParcelPlanned', 'LabelCreated')"  # types of events that only the version before published
)
RESUME = "from orders.saga import resume; from uuid import UUID; resume([UUID(one) for one in {orders}])"


@dataclass(frozen=True)
class Restored:
    """The dump in a database of its own, and the folder with the providers' ledgers."""

    url: str
    ledgers: Path

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()

    def number(self, query: str) -> int:
        ((number,),) = self.ask(query)
        return int(number)


@pytest.fixture
def restored(tmp_path: Path) -> Iterator[Restored]:
    server, name = os.environ["DATABASE_URL"], f"upgrade_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            restored = Restored(f"{server.rpartition('/')[0]}/{name}", tmp_path)
            restore_dump(BEFORE, restored.url, restored.ledgers)
            yield restored
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_dump_is_of_the_version_before_and_holds_orders_at_every_moment(restored: Restored) -> None:
    applied = restored.ask("SELECT app, name FROM django_migrations")
    assert {(app, name) for app, name in applied if app in SERVICES} == {
        (service, name) for service in SERVICES for name in ("0001_initial", "0002_wake_relay")
    }
    rows = positions(restored.url, restored.ledgers)
    assert Counter((row["moment"], row["style"]) for row in rows) == Counter(
        {(name, style): EACH for name, moment in MOMENTS.items() for style in moment.styles}
    )
    for row in rows:
        expected = MOMENTS[str(row["moment"])].position(str(row["style"]))
        assert expected == {column: row[column] for column in expected or {}}, row
    assert Counter(row["saga"] for row in rows) == {"running": 164, "parked": 16, "ended": 26}
    heard = f"event_id IN (SELECT event_id FROM ({ALL_INBOXES}) AS inbox)"
    outbox = f"SELECT count(*) FROM ({ALL_OUTBOXES}) AS outbox WHERE"
    assert restored.number(f"SELECT count(*) FROM ({CONFIRMED}) AS confirmed") > 100
    assert restored.number(f"{outbox} {heard} AND event_id NOT IN ({CONFIRMED})") > 100
    assert restored.number(f"{outbox} NOT {heard}") > 10


def test_orders_in_flight_reach_their_ends_after_the_upgrade(restored: Restored) -> None:
    parked = restored.ask(
        f"""
        SELECT uuid FROM orders_order o JOIN orders_saga s ON s.order_id = o.id WHERE s.state = 'parked'
        UNION SELECT order_id FROM ({ALL_INBOXES}) AS inbox WHERE state = 'parked'
        """
    )
    env = one_database(restored.url) | QUICK | broker_environment("upgrade")
    manage(env, "migrate", "-v", "0")
    with running(env, restored.ledgers) as shop:
        manage(shop.env, "shell", "-v", "0", "-c", RESUME.format(orders=[str(uuid) for (uuid,) in parked]))
        wait_until_nothing_is_left_to_do(restored)
        manage(shop.env, "audit")  # exits 0, or this fails with what it printed
    ends = restored.ask("SELECT split_part(idempotency_key, '/', 1), style, status FROM orders_order")
    assert Counter(ends) == Counter(
        {(name, style, moment.end): EACH for name, moment in MOMENTS.items() for style in moment.styles}
    )
    assert Counter((style, end) for _, style, end in ends) == {
        ("orchestration", "completed"): 62,
        ("orchestration", "cancelled"): 42,
        ("choreography", "completed"): 62,
        ("choreography", "cancelled"): 40,
    }
    assert_stock_and_money_are_those_of_the_completed(restored)


def wait_until_nothing_is_left_to_do(restored: Restored) -> None:
    """Every saga has ended; and orders, which hears all events of both styles, has heard them, as has inventory."""
    left = {
        "sagas": "SELECT count(*) FROM orders_saga WHERE state <> 'ended'",
        "deliveries": f"SELECT count(*) FROM ({ALL_INBOXES}) AS inbox WHERE state <> 'done'",
        "events": f"""
            SELECT count(*) FROM ({ALL_OUTBOXES}) AS outbox
            WHERE event_id NOT IN (
                SELECT event_id FROM orders_inbox UNION SELECT event_id FROM orders_timelineentry
            ) AND type NOT IN {NO_LONGER_KNOWN}
        """,
        "reservations": "SELECT count(*) FROM inventory_reservation WHERE state = 'reserved'",
    }
    deadline = time.monotonic() + PATIENCE
    while open_ones := {name: count for name, query in left.items() if (count := restored.number(query))}:
        assert time.monotonic() < deadline, f"After {PATIENCE:g} s there are still open: {open_ones}"
        time.sleep(0.1)


def assert_stock_and_money_are_those_of_the_completed(restored: Restored) -> None:
    came = restored.number("SELECT sum(quantity) FROM inventory_receipt")
    ((sold, earned),) = restored.ask(
        """
        SELECT sum(quantity), sum(quantity * price_minor) FROM orders_orderline l
        JOIN orders_order o ON o.id = l.order_id WHERE o.status = 'completed'
        """
    )
    assert restored.ask("SELECT sum(on_hand), sum(reserved) FROM inventory_stock") == [(came - sold, 0)]
    with closing(sqlite3.connect(restored.ledgers / "payments.sqlite3")) as ledger:
        assert ledger.execute("SELECT sum(amount_minor) FROM movements").fetchone() == (earned,)
