"""The measurements of growth measure what they say: a small history, other orders, a small backlog, all of it pruned."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from benchmarks.client import Client
from benchmarks.growth.retention import NoDoor, prune
from benchmarks.growth.run import Growth, table
from benchmarks.growth.systems import GROWN
from benchmarks.measuring import Plan
from benchmarks.servers import Servers, own_servers
from benchmarks.systems.shop import Shop, audit

FIRST, *_ = settings.STYLES
HISTORY = 2_500  # orders
STAYS = (
    "orders_order",
    "inventory_reservation",
    "payments_payment",
    "shipping_shipment",
    "notifications_notification",
)
GOES = (
    *(f"{service}_outbox" for service in settings.SERVICES),
    "orders_timelineentry",
    "notifications_mail",
)


@pytest.fixture(scope="module")
def growth() -> Iterator[Growth]:
    with own_servers() as servers:
        yield Growth(servers, Plan(orders=100, seconds=1, lone=1), [FIRST])


def count(servers: Servers, table: str) -> int:
    row = servers.ask(f"SELECT count(*) FROM {table}", database=GROWN)
    return int(str(row[0])) if row else 0


def test_other_orders_and_a_backlog_are_measured_beside_plain_ones(growth: Growth) -> None:
    growth.hot_product()
    growth.large_orders([30])
    growth.backlog(200)
    assert growth.failed == []
    plain, hot, large, backlog = growth.rows
    assert [row["ended"] for row in growth.rows] == [100, 100, 100, 200]
    assert all(row["audit"]["ok"] and not row["stalled"] for row in growth.rows)
    assert hot["of_plain"] == pytest.approx(hot["orders_per_s"] / plain["orders_per_s"], abs=0.01)
    assert large["lines_per_s"] == pytest.approx(30 * large["orders_per_s"], abs=1)
    assert (
        large["row_versions_per_order"] > plain["row_versions_per_order"] + 60
    )  # lines, ordered and reserved
    assert backlog["due_again"] == 0
    assert len(table(growth.rows).splitlines()) == 5


def test_orders_are_fulfilled_on_a_history_that_is_as_sound_as_theirs_and_is_then_deleted(
    growth: Growth,
) -> None:
    servers = growth.servers
    before = len(growth.rows)
    growth.histories([HISTORY])
    assert growth.failed == []
    *_, grown = growth.rows[before:]
    assert (grown["ended"], grown["audit"]["ok"]) == (100, True)
    assert grown["audit"]["orders"] > HISTORY

    env = Shop(servers, "none", FIRST).environment(GROWN)
    with Client(NoDoor, env) as client:
        found, newest = client.run(audit), client.run(audit, "--newest", "50")
    assert (newest["ok"], newest["orders"]) == (True, 50)
    assert (found["ok"], found["orders"], found["in_flight"]) == (True, HISTORY + len(settings.STYLES), 0)

    business = {name: count(servers, name) for name in STAYS}
    deleted = prune(servers, env, 30)
    assert deleted["rows"] > 15 * HISTORY
    assert {name: count(servers, name) for name in GOES} == dict.fromkeys(GOES, 0)
    assert {name: count(servers, name) for name in STAYS} == business
    with Client(NoDoor, {**env, "TIMELINE_KEEP_DAYS": "0", "MAILS_KEEP_DAYS": "0"}) as client:
        assert client.run(audit)["ok"]
