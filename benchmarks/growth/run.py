"""The run as a whole: what is measured, in which order, beside what; the result is written and shown."""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.conf import settings

from benchmarks import about, results
from benchmarks.growth.retention import keeping_nothing, prune, tables
from benchmarks.growth.systems import GROWN, Grown, History, Wanting, many, one_and_the_same
from benchmarks.measuring import Plan, measure
from benchmarks.run import FOLDER
from benchmarks.servers import Servers, own_servers
from benchmarks.systems.base import ROOT
from benchmarks.systems.shop import Shop, two_at_random

PLAIN = "empty tables, 2 random products"
COLUMNS = {
    "style": "style",
    "orders": "orders",
    "orders/s": "orders_per_s",
    "of plain": "of_plain",
    "lines/s": "lines_per_s",
    "CPU ms": "cpu_ms_per_order",
    "idle p50 ms": "idle_p50_ms",
    "due again": "due_again",
    "stalled": "stalled",
    "DB MB": "database_mb",
}
Rows = list[dict[str, Any]]


class Growth:
    """Measures one thing after the other; what breaks is noted and takes nothing else along."""

    def __init__(self, servers: Servers, plan: Plan, styles: Sequence[str]) -> None:
        self.servers, self._plan, self._styles = servers, plan, styles
        self.history = History(servers)
        self.rows: Rows = []
        self.failed: list[str] = []
        self._plain: dict[str, float] = {}

    def plain(self) -> None:
        """What all else is compared with: measured anew before each part, so that one hour is compared with itself."""
        for style in self._styles:
            row = self._measure(PLAIN, style, partial(Wanting, wanted=two_at_random))
            if row:
                self._plain[style] = row["orders_per_s"]

    def histories(self, sizes: Sequence[int]) -> None:
        """So many completed orders are in the tables already."""
        for orders in sizes:
            built = self.history.reach(orders)
            print(f"{orders:,} completed orders in the tables, after {built:.0f} s")
            self.plain()
            for style in self._styles:
                self._measure(f"{orders:,} completed orders in the tables", style, self._grown)

    def hot_product(self) -> None:
        self.plain()
        for style in self._styles:
            self._measure("all orders want one product", style, partial(Wanting, wanted=one_and_the_same))

    def large_orders(self, lines: Sequence[int]) -> None:
        for count in lines:
            for style in self._styles:
                make = partial(Wanting, wanted=partial(many, count), fewest=100)
                self._measure(f"orders of {count} lines", style, make, lines=count)

    def backlog(self, orders: int) -> None:
        plan = Plan(orders, self._plan.seconds, self._plan.lone)
        for style in self._styles:
            make = partial(Wanting, wanted=two_at_random)
            row = self._measure(f"a backlog of {orders:,} orders", style, make, plan=plan)
            if row and (row["due_again"] or row["stalled"]):
                self.failed.append(
                    f"Backlog, {style}: {row['due_again']} due again, {row['stalled']} stalled."
                )

    def retention(self, seconds: float) -> dict[str, Any]:
        """All history is old at once: while the shop is busy, and as fast as it goes."""
        found: dict[str, Any] = {"before": tables(self.servers, GROWN)}
        for style in self._styles:
            self._measure("the same, all of it too old", style, partial(self._grown, more=keeping_nothing()))
        env = Shop(self.servers, "none", self._styles[0]).environment(GROWN)
        found |= prune(self.servers, env, seconds)
        found["after"] = tables(self.servers, GROWN)
        return found

    def _grown(self, servers: Servers, name: str, style: str, more: Mapping[str, str] | None = None) -> Shop:
        return Grown(self.history, name, style, more or {})

    def _measure(
        self,
        what: str,
        style: str,
        make: Callable[[Servers, str, str], Shop],
        *,
        lines: int = 2,
        plan: Plan | None = None,
    ) -> dict[str, Any] | None:
        print(f"{what}, {style}")
        try:
            system = make(self.servers, style, style)
            system.prepare()
            run = measure(system, plan or self._plan)
        except Exception as error:
            traceback.print_exc()
            self.failed.append(f"{what}, {style}: {type(error).__name__}: {error}")
            return None
        row = {"what": what, "style": style, **run, "lines_per_s": round(lines * run["orders_per_s"])}
        if what != PLAIN and self._plain.get(style):
            row["of_plain"] = round(run["orders_per_s"] / self._plain[style], 3)
        self.failed += results.complaints({f"{what}, {style}": {"runs": [run]}})
        self.rows.append(row)
        return row


def table(rows: Rows) -> str:
    """For a terminal: what was measured, and its columns."""
    width = max(len(row["what"]) for row in rows)
    lines = [" " * width + "".join(f"{title:>15}" for title in COLUMNS)]
    for row in rows:
        shown = (row.get(name) for name in COLUMNS.values())
        lines.append(f"{row['what']:<{width}}" + "".join(f"{_shown(value):>15}" for value in shown))
    return "\n".join(lines)


def _shown(value: object) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int | float) else str(value)


def in_words(retention: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Deleting old rows: {retention['rows_per_s']:,} rows/s alone, {retention['cpu_us_per_row']} µs of CPU each; "
        f"as a relay, which rests in between, {retention['as_a_relay_rows_per_s']:,} rows/s; "
        f"a pass {retention['pass_p50_ms']} ms (p99 {retention['pass_p99_ms']}, longest {retention['pass_longest_ms']})."
    )
    before = {row["table"]: row for row in retention["before"]}
    for row in retention["after"]:
        was = before.get(row["table"], row)
        yield (
            f"  {row['table']:<30} {was['mb']:>6,} MB, then {row['mb']:>6,} MB "
            f"({row['rows']:>10,} rows, {row['dead']:>10,} dead)"
        )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.growth", description=__doc__)
    parser.add_argument(
        "--history", metavar="N,…", default="100000,1000000", help="completed orders in the tables"
    )
    parser.add_argument("--lines", metavar="N,…", default="100,600", help="of large orders")
    parser.add_argument("--backlog", type=int, metavar="N", default=20_000, help="orders placed at once")
    parser.add_argument("--styles", metavar="NAME,…", default=",".join(settings.STYLES))
    parser.add_argument("--seconds", type=float, metavar="S", default=8.0, help="of a measured run, roughly")
    parser.add_argument(
        "--orders", type=int, metavar="N", help="in each measured run (default: by --seconds)"
    )
    parser.add_argument("--lone", type=int, metavar="N", default=10, help="orders timed one at a time")
    return parser.parse_args()


def main() -> int:
    options, began = arguments(), datetime.now(UTC)
    plan = Plan(options.orders, options.seconds, options.lone)
    sizes, lines = ([int(number) for number in text.split(",")] for text in (options.history, options.lines))
    with own_servers() as servers:
        growth = Growth(servers, plan, options.styles.split(","))
        result: dict[str, Any] = {
            "at": began.isoformat(timespec="seconds"),
            "machine": about.machine(servers.folder),
            "versions": about.versions(),
            "servers": servers.settings(),
            "plan": vars(options),
        }
        growth.hot_product()
        growth.large_orders(lines)
        growth.backlog(options.backlog)
        growth.histories(sizes)
        result["retention"] = growth.retention(options.seconds)
    result |= {"rows": growth.rows, "failed": growth.failed}
    path = FOLDER / f"growth-{began:%Y-%m-%d}.json"
    results.write(path, result)
    print(table(growth.rows))
    print(*in_words(result["retention"]), *growth.failed, sep="\n")
    print(f"\nWritten to {path.relative_to(ROOT)}")
    return 1 if growth.failed else 0
