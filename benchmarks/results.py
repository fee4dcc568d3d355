"""From single runs to what is told: medians, ratios to the floor, the file, the tables."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FLOOR = "floor"
COLUMNS = {
    "orders/s": "orders_per_s",
    "of floor": "of_floor",
    "idle p50 ms": "idle_p50_ms",
    "p95 ms": "idle_p95_ms",
    "CPU ms": "cpu_ms_per_order",
    "rows": "row_versions_per_order",
    "HOT": "hot_share",
    "WAL B": "wal_bytes_per_order",
    "SQL": "statements_per_order",
    "messages": "messages_per_order",
    "MiB": "memory_mib",
}


def summary(runs: Sequence[Mapping[str, Any]], floors: Mapping[int, float]) -> dict[str, Any]:
    """The medians of a system's runs. ``floors``: the floor's orders/s, by repetition."""
    found = _medians(runs)
    ratios = [
        run["orders_per_s"] / floors[run["repetition"]] for run in runs if floors.get(run["repetition"])
    ]
    if ratios:
        found["of_floor"] = round(statistics.median(ratios), 3)
    rates = [run["orders_per_s"] for run in runs]
    return {
        **found,
        "orders_per_s_lowest": min(rates),
        "orders_per_s_highest": max(rates),
        "runs": list(runs),
    }


def _medians(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of all numbers that all runs have."""
    found: dict[str, Any] = {}
    for key, value in runs[0].items():
        values = [run.get(key) for run in runs]
        if isinstance(value, Mapping) and key.endswith("by_group"):
            found[key] = _medians([run[key] for run in runs])
        elif all(isinstance(one, int | float) for one in values) and key != "repetition":
            found[key] = round(statistics.median(one for one in values if one is not None), 3)
    return found


def complaints(systems: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What makes a result no result: orders that were not completed, an audit that is not content."""
    found = []
    for name, system in systems.items():
        for run in system["runs"]:
            if "incomplete" in run:
                found.append(f"{name}: {run['incomplete']}")
            if not run.get("audit", {"ok": True})["ok"]:
                found.append(f"{name}: the audit found {run['audit']}")
    return found


def write(path: Path, result: Mapping[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")


def table(systems: Mapping[str, Mapping[str, Any]], names: Iterable[str]) -> str:
    """The systems that were measured, a line each; all but the first four columns are per order."""
    rows = [["", *COLUMNS]]
    rows += [
        [name, *(_shown(systems[name].get(key)) for key in COLUMNS.values())]
        for name in names
        if name in systems
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    )


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"
