"""What a number of orders cost: CPU by group of processes, rows, bytes of WAL, statements, commits, messages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil
import psycopg
import redis

from benchmarks.servers import Servers

ROWS = """
    SELECT coalesce(sum(n_tup_ins + n_tup_upd), 0)::bigint, coalesce(sum(n_tup_upd), 0)::bigint,
           coalesce(sum(n_tup_hot_upd), 0)::bigint
    FROM pg_stat_user_tables
"""
COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
STATEMENTS = """
    SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
    WHERE d.datname = %s AND query NOT LIKE '%%FOR KEY SHARE OF x'  -- PostgreSQL's own, when it checks a foreign key
"""


@dataclass(frozen=True)
class Counters:
    """As they stand at one moment. ``cpu``: seconds per group."""

    cpu: Mapping[str, float]
    versions: int  # rows inserted and updated
    updates: int
    hot_updates: int
    commits: int
    wal_bytes: int
    messages: int  # Celery sends one by LPUSH
    statements: int | None

    def since(self, before: Counters, orders: int) -> dict[str, float | dict[str, float] | None]:
        """Per order, what happened between two moments."""
        cpu = {
            group: round(1000 * (seconds - before.cpu.get(group, 0.0)) / orders, 3)
            for group, seconds in self.cpu.items()
        }
        updates = self.updates - before.updates
        statements = None
        if self.statements is not None and before.statements is not None:
            statements = round((self.statements - before.statements) / orders, 2)
        return {
            "cpu_ms_per_order": round(sum(cpu.values()), 3),
            "cpu_ms_per_order_by_group": cpu,
            "row_versions_per_order": round((self.versions - before.versions) / orders, 2),
            "hot_share": round((self.hot_updates - before.hot_updates) / updates, 3) if updates else None,
            "wal_bytes_per_order": round((self.wal_bytes - before.wal_bytes) / orders),
            "statements_per_order": statements,
            "commits_per_order": round((self.commits - before.commits) / orders, 2),
            "messages_per_order": round((self.messages - before.messages) / orders, 3),
        }


def read(servers: Servers, database: str, groups: Mapping[str, Iterable[int]]) -> Counters:
    """Rows and commits are told late by idle connections: see `measuring.settle`."""
    with psycopg.connect(servers.url(database), autocommit=True) as connection:
        versions, updates, hot = connection.execute(ROWS).fetchone() or (0, 0, 0)
        (commits,) = connection.execute(COMMITS).fetchone() or (0,)
        (wal,) = connection.execute(WAL).fetchone() or (0,)
    statements = None
    if servers.counts_statements:
        row = servers.ask(STATEMENTS, database)
        statements = int(str(row[0])) if row else 0
    with redis.Redis.from_url(servers.redis.url) as client:
        messages = client.info("commandstats").get("cmdstat_lpush", {}).get("calls", 0)
    cpu = {group: sum(cpu_seconds(pid) for pid in pids) for group, pids in groups.items()}
    return Counters(cpu, versions, updates, hot, commits, wal, messages, statements)


def cpu_seconds(pid: int) -> float:
    """Of a process, its children, and those of them that have ended."""
    total = 0.0
    for process in families([pid]):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_mib(pids: Iterable[int]) -> float:
    """Of processes with their children, as PSS: what several share is counted once."""
    total = 0
    for process in families(pids):
        with contextlib.suppress(psutil.Error):
            about = process.memory_full_info()
            total += getattr(about, "pss", about.rss)
    return round(total / 2**20, 1)


def machine_seconds() -> float:
    """CPU seconds this machine has worked, for whomever."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def families(pids: Iterable[int]) -> list[psutil.Process]:
    """Processes and all that they have started, as far as they live."""
    found: list[psutil.Process] = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(pid)
            found += [parent, *parent.children(recursive=True)]
    return found
