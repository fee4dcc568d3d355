"""How fast old rows are deleted, and what that leaves of the tables."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psycopg

from benchmarks.client import Client
from benchmarks.counters import cpu_seconds
from benchmarks.measuring import Others
from benchmarks.servers import Servers

TOLD = """
    SELECT relname, pg_table_size(relid), pg_indexes_size(relid), n_live_tup, n_dead_tup
    FROM pg_stat_user_tables WHERE n_live_tup + n_dead_tup > 10000 ORDER BY 2 DESC
"""
WITHOUT_RESTS = 1e9  # of a relay's time


def keeping_nothing() -> dict[str, str]:
    """The environment in which all that is over is too old."""
    return {f"{name}_KEEP_DAYS": "0" for name in ("MESSAGING", "TIMELINE", "MAILS")}


class NoDoor:
    """Of a client that places nothing."""

    def __init__(self) -> None:
        import django

        django.setup()

    def place(self, orders: int) -> None:
        raise NotImplementedError

    def last(self) -> int:
        raise NotImplementedError

    def ended(self, after: int) -> tuple[int, float]:
        raise NotImplementedError

    def lone(self, patience: float) -> float:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to let go of."""


def prune(servers: Servers, env: Mapping[str, str], seconds: float) -> dict[str, Any]:
    """Delete what is old for so long, as fast as it goes, and then as a relay does, which rests in between."""
    with Client(NoDoor, {**env, **keeping_nothing()}) as client:
        pids = (servers.postgres.pid, client.pid)
        others, before = Others(), sum(map(cpu_seconds, pids))
        rows, took, passes = client.run(_prune, seconds, WITHOUT_RESTS)
        spent = sum(map(cpu_seconds, pids)) - before
        used = others.share(spent)
        resting, its_time, _ = client.run(_prune, seconds, 1.0)
    passes.sort()
    return {
        "rows": rows,
        "rows_per_s": round(rows / took),
        "cpu_us_per_row": round(1e6 * spent / rows, 2) if rows else None,
        "pass_p50_ms": _at(passes, 0.5),
        "pass_p99_ms": _at(passes, 0.99),
        "pass_longest_ms": _at(passes, 1.0),
        "as_a_relay_rows_per_s": round(resting / its_time),
        "others_used": used,
    }


def _at(passes: list[float], part: float) -> float | None:
    return round(1000 * passes[min(len(passes) - 1, int(part * len(passes)))], 1) if passes else None


_relays: list[Any] = []  # the one pruning of this process: a relay goes on where it was


def _prune(seconds: float, share: float) -> tuple[int, float, list[float]]:
    """In a client's process: rows deleted, the seconds it took, those of each pass. ``share``: times the usual."""
    from shop.messaging import pruning

    usual = pruning.SHARE
    pruning.SHARE = share * usual
    try:
        mine = _relays[0] if _relays else pruning.Pruning()
        _relays[:] = [mine]
        rows, passes, began = 0, [], time.monotonic()
        while time.monotonic() - began < seconds and mine.patience() < 1:
            time.sleep(mine.patience())
            at = time.monotonic()
            if some := mine.prune_some():
                rows += some
                passes.append(time.monotonic() - at)
        return rows, max(time.monotonic() - began, 0.001), passes
    finally:
        pruning.SHARE = usual


def tables(servers: Servers, database: str) -> list[dict[str, Any]]:
    """The larger tables: MB of rows and of indexes, rows, dead rows."""
    with psycopg.connect(servers.url(database), autocommit=True) as connection:
        found = connection.execute(TOLD).fetchall()
    return [
        {
            "table": name,
            "mb": size // 1_000_000,
            "indexes_mb": indexes // 1_000_000,
            "rows": live,
            "dead": dead,
        }
        for name, size, indexes, live, dead in found
    ]
