"""PostgreSQL and Valkey of the benchmark's own, started as `make run` starts them: every commit is on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
import redis
from psycopg import sql

from shop.tools.up.datafolder import scratch_folder
from shop.tools.up.postgres import start_postgres
from shop.tools.up.redis import start_redis
from shop.tools.up.servers import Server

TOLD = (
    *("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "wal_level"),
    *("shared_buffers", "max_wal_size", "checkpoint_timeout", "max_connections"),
)


@dataclass(frozen=True)
class Servers:
    """``folder``: logs and data, gone in the end. ``counts_statements``: pg_stat_statements is there."""

    folder: Path
    postgres: Server
    redis: Server
    counts_statements: bool

    def url(self, database: str) -> str:
        return f"{self.postgres.url.rpartition('/')[0]}/{database}"

    def has(self, database: str) -> bool:
        found = self.ask("SELECT 1 FROM pg_database WHERE datname = %s", database)
        return found is not None

    def make(self, database: str, template: str = "template1") -> str:
        """A new database, in the place of an old one of that name. Its URL."""
        self.drop(database)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self.tell(statement.format(sql.Identifier(database), sql.Identifier(template)))
        return self.url(database)

    def drop(self, database: str) -> None:
        self.tell(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def quiet(self) -> None:
        """No system finds another's messages, or pays for writing another's pages."""
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()
        self.tell("CHECKPOINT")

    def tell(self, statement: LiteralString | sql.Composed, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)

    def ask(self, query: str, *values: object, database: str = "postgres") -> tuple[object, ...] | None:
        """The first row of the answer."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            return connection.execute(query.encode(), values).fetchone()

    def settings(self) -> dict[str, str]:
        """What both are set to, for the result."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            rows = connection.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(TOLD)]
            ).fetchall()
        with redis.Redis.from_url(self.redis.url) as client:
            about = client.info("server")
            kept = client.config_get("append*")
        return {
            **{f"postgres {name}": value for name, value in rows},
            "valkey version": about.get("valkey_version") or about["redis_version"],
            **{f"valkey {name}": kept[name] for name in ("appendonly", "appendfsync")},
        }


@contextmanager
def own_servers() -> Iterator[Servers]:
    with scratch_folder("bench-") as folder:
        postgres = start_postgres(folder)
        try:
            counts = _count_statements(postgres)
            valkey = start_redis(folder)
            try:
                yield Servers(folder, postgres, valkey, counts)
            finally:
                valkey.stop()
        finally:
            postgres.stop()


def _count_statements(postgres: Server) -> bool:
    """Load pg_stat_statements where this PostgreSQL has it: for all systems alike, since it costs a little."""
    url = f"{postgres.url.rpartition('/')[0]}/postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute(
            "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements'"
        ).fetchone()
        if not known:
            return False
        connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    postgres.restart()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
    return True
