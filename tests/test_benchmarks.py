"""The benchmark measures what it says: short runs of the floor and of the shop, and how runs become a result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings

from benchmarks import plot, results
from benchmarks.measuring import Plan, measure
from benchmarks.servers import Servers, own_servers
from benchmarks.systems.base import Unavailable
from benchmarks.systems.registry import COMPARED, EVERY, OVER_HTTP, QUICK

SHORT = Plan(orders=100, seconds=1, lone=3)
FIRST, *_ = settings.STYLES
FIRST_OVER_HTTP, *_ = OVER_HTTP


@pytest.fixture(scope="module")
def bench_servers() -> Iterator[Servers]:
    with own_servers() as servers:
        yield servers


def measured(servers: Servers, name: str) -> dict[str, Any]:
    system = EVERY[name](servers)
    system.prepare()
    return measure(system, SHORT)


def test_the_floor_is_six_statements_an_order_on_disk(bench_servers: Servers) -> None:
    found = measured(bench_servers, results.FLOOR)
    assert (found["orders"], found["ended"], found["idle_orders"]) == (100, 100, 3)
    assert found["orders_per_s"] == pytest.approx(100 / found["seconds"], rel=0.01)
    assert 0 < found["idle_p50_ms"] <= found["idle_p95_ms"]
    if bench_servers.counts_statements:
        assert found["statements_per_order"] == pytest.approx(6, abs=0.5)
    assert bench_servers.settings()["postgres fsync"] == "on"
    assert bench_servers.settings()["postgres synchronous_commit"] == "on"


def test_the_shop_is_measured_and_audited(bench_servers: Servers) -> None:
    found = measured(bench_servers, FIRST)
    assert found["ended"] == 100
    assert found["audit"]["ok"]
    assert found["audit"]["orders"] > 100  # those of the warm-up too
    assert sorted(found["audit"]["left_out"]) == ["money", "parcels"]
    assert found["row_versions_per_order"] > 10
    assert found["messages_per_order"] > 0
    assert {"workers", "relay", "postgres", "valkey", "clients"} <= found["cpu_ms_per_order_by_group"].keys()


def test_each_repetition_begins_with_empty_books_at_the_providers(bench_servers: Servers) -> None:
    for _ in range(2):
        audit = measured(bench_servers, FIRST_OVER_HTTP)["audit"]
        assert (audit["ok"], audit["left_out"]) == (True, {})


@pytest.mark.parametrize("name", sorted(COMPARED.keys() - QUICK.keys()))
def test_what_is_not_installed_is_said(name: str, bench_servers: Servers) -> None:
    with pytest.raises(Unavailable, match="`make bench` installs it"):
        EVERY[name](bench_servers)


# --- From runs to a result ----------------------------------------------------------------------------------------


def run(repetition: int, rate: float, **more: Any) -> dict[str, Any]:
    return {
        "repetition": repetition,
        "orders_per_s": rate,
        "cpu_ms_per_order_by_group": {"relay": rate},
        **more,
    }


def test_a_system_is_told_by_its_medians_and_its_ratio_to_the_floor_of_the_same_repetition() -> None:
    found = results.summary([run(1, 50.0), run(2, 90.0), run(3, 70.0)], {1: 100.0, 2: 100.0, 3: 700.0})
    assert (found["orders_per_s"], found["of_floor"]) == (70.0, 0.5)
    assert (found["orders_per_s_lowest"], found["orders_per_s_highest"]) == (50.0, 90.0)
    assert found["cpu_ms_per_order_by_group"] == {"relay": 70.0}
    assert len(found["runs"]) == 3


def test_a_result_with_lost_orders_or_a_bad_audit_is_complained_about() -> None:
    bad = {"runs": [run(1, 1.0, incomplete="2 of 9 orders were not completed.", audit={"ok": False})]}
    assert results.complaints({"good": {"runs": [run(1, 1.0)]}, "bad": bad}) == [
        "bad: 2 of 9 orders were not completed.",
        "bad: the audit found {'ok': False}",
    ]


def test_the_result_can_be_read_and_seen(tmp_path: Path) -> None:
    systems = {name: {"orders_per_s": 1234.5, "idle_p50_ms": 7.0} for name in ("floor", "a & b")}
    results.write(tmp_path / "results" / "some.json", {"systems": systems})
    assert json.loads((tmp_path / "results" / "some.json").read_text()) == {"systems": systems}
    lines = results.table(systems, ["a & b", "floor", "not measured"]).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["a", "floor"]
    plot.draw(tmp_path / "some.svg", systems, list(systems), ["floor"], "now")
    shown = {element.text for element in ElementTree.parse(tmp_path / "some.svg").iter()}
    assert {"a & b", "floor", "1,234", "7", "now"} <= shown
