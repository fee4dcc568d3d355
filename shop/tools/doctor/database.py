"""A database: that it lets us in, can be relied on, has all tables, and room for all who connect."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from django.db.migrations.loader import MigrationLoader

from shop.base.databases import OneDatabasePerApp
from shop.base.serving.pool import THREADS
from shop.tools.doctor import clock, disk, versions
from shop.tools.doctor.findings import Findings, Scribe, sentence
from shop.tools.doctor.installation import LOCAL, Installation
from shop.tools.up.postgres import DISCREET

PATIENCE = 2  # s to connect; libpq knows no less
LIMITS = "-c statement_timeout=2000 -c lock_timeout=1000"
OF_DJANGO = ("options", "prepare_threshold", "server_side_binding", "connect_timeout", "pool")
SPARE = 10  # connections for commands, people, backups
NEARLY_ALL = 0.9  # of the connections
LOSES = {
    "fsync": "a crash of its host can destroy the database",
    "full_page_writes": "a crash of its host can destroy the database",
    "synchronous_commit": "a crash forgets orders that were accepted, and calls that were made",
}
Connection = psycopg.Connection[Any]


def check(shop: Installation, alias: str, say: Scribe) -> Findings:
    config = shop.databases[alias]
    where = f"{config.get('HOST') or 'localhost'}:{config.get('PORT') or 5432}/{config['NAME']}"
    try:
        connection = connect(config)
    except psycopg.Error as error:
        yield say.wrong(
            f"PostgreSQL at {where} does not let us in: {sentence(error)}.", _way_in(alias, error)
        )
        return
    with connection:
        version = connection.info.server_version
        yield from versions.judged("PostgreSQL", f"{version // 10_000}.{version % 10_000}", say)
        yield from clock.compared(f"PostgreSQL at {where}", lambda: _number(connection, NOW), say)
        yield from _durable(connection, where, say)
        yield from _discreet(connection, where, say)
        yield from _room(connection, shop, config, where, say)
        yield from _migrated(connection, alias, where, say)
        yield from _disk(connection, config, say)


NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"


def connect(config: Mapping[str, Any]) -> Connection:
    names = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    params = {name: config[key] for name, key in names.items() if config.get(key)}
    options = {name: value for name, value in config.get("OPTIONS", {}).items() if name not in OF_DJANGO}
    known = {
        **options,
        **params,
        "connect_timeout": PATIENCE,
        "options": LIMITS,
        "application_name": "doctor",
    }
    return psycopg.connect(**known, autocommit=True)


def _way_in(alias: str, error: psycopg.Error) -> str:
    variable = "DATABASE_URL" if alias == "default" else f"{alias.upper()}_DATABASE_URL"
    said = str(error)
    if "password authentication failed" in said or "no password supplied" in said:
        return f"Set the user's password in {variable} to the one PostgreSQL knows, or the other way round."
    if "does not exist" in said:
        return f"Create what is missing, or name another in {variable}; then run: python manage.py migrate."
    if "too many" in said or "remaining connection slots" in said:
        return "Raise max_connections, or the limit of the database or role; see who is connected in pg_stat_activity."
    return f"Start PostgreSQL there, or name another in {variable}; `up` starts one of its own."


def _durable(connection: Connection, where: str, say: Scribe) -> Findings:
    for name, loses in LOSES.items():
        if _setting(connection, name) == "off":
            yield say.wrong(
                f"PostgreSQL at {where} has {name} off: {loses}.", f"Set {name} = on, and reload it."
            )
    if _number(connection, "SELECT pg_is_in_recovery()::int"):
        yield say.wrong(
            f"PostgreSQL at {where} is a replica: nothing can be written.", "Name the primary instead."
        )
    encoding = _setting(connection, "server_encoding")
    if encoding != "UTF8":
        yield say.wrong(
            f"The database {where} has the encoding {encoding}: not every name can be written in it.",
            "Make it anew with ENCODING 'UTF8', and move the data.",
        )


def _discreet(connection: Connection, where: str, say: Scribe) -> Findings:
    """``terse`` and ``panic`` are the least there is; statements themselves hold no values."""
    other = {
        name: value for name, wanted in DISCREET.items() if (value := _setting(connection, name)) != wanted
    }
    if other:
        told = ", ".join(f"{name} is {value}" for name, value in other.items())
        yield say.worry(
            f"The log of PostgreSQL at {where} may repeat people's names and addresses: {told}.",
            f"Set {', '.join(f'{name} = {DISCREET[name]}' for name in other)}, and reload it (docs/security.md).",
        )


def _room(
    connection: Connection, shop: Installation, config: Mapping[str, Any], where: str, say: Scribe
) -> Findings:
    """Web threads keep a connection each to each database; relays two, of which one listens; workers one."""
    sharing = [one for one in shop.databases.values() if _server(one) == _server(config)]
    needed = len(sharing) * (THREADS + 2 + len(shop.services)) + SPARE
    row = connection.execute(
        """
        SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
            (SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
            (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
            (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
        """
    ).fetchone()
    whole, of_database, of_role, used = row or (0, 0, 0, 0)
    room = min([whole, *(limit for limit in (of_database, of_role) if limit >= 0)])
    do = f"Raise max_connections (or the limit of the database or role) to {needed + 3} or more."
    if used >= NEARLY_ALL * room:
        yield say.wrong(f"{used} of the {room} connections of PostgreSQL at {where} are taken.", do)
    elif room < needed:
        yield say.worry(
            f"PostgreSQL at {where} lets in {room} at once; web, relay and workers may want {needed} connections.",
            do,
        )


def _server(config: Mapping[str, Any]) -> tuple[Any, Any]:
    return config.get("HOST"), config.get("PORT")


def _migrated(connection: Connection, alias: str, where: str, say: Scribe) -> Findings:
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    here = {key for key in loader.disk_migrations if OneDatabasePerApp().allow_migrate(alias, key[0])}
    migrate = "Run: python manage.py migrate" + ("." if alias == "default" else f" --database {alias}.")
    try:
        rows = connection.execute("SELECT app, name FROM django_migrations").fetchall()
    except psycopg.errors.UndefinedTable:
        yield say.wrong(f"The database {where} is empty: it has none of the shop's tables.", migrate)
        return
    applied = {(app, name) for app, name in rows}
    if missing := sorted(here - applied):
        told = ", ".join(f"{app} {name}" for app, name in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield say.wrong(f"The database {where} lacks migrations: {told}{more}.", migrate)
    apps = {app for app, _ in here}
    if unknown := sorted(key for key in applied - here if key[0] in apps):
        yield say.worry(
            f"The database {where} was migrated by a newer version of the shop: {unknown[0][0]} {unknown[0][1]}.",
            "Run the newer version, or restore the backup made before it.",
        )


def _disk(connection: Connection, config: Mapping[str, Any], say: Scribe) -> Findings:
    """Where PostgreSQL runs on this computer, and tells where its data is."""
    host = str(config.get("HOST") or "localhost")
    try:
        folder = Path(_setting(connection, "data_directory"))
    except psycopg.Error:
        return
    if (host in LOCAL or host.startswith(("127.", "/"))) and folder.is_dir():
        yield from disk.space(folder, "PostgreSQL's data", say)


def _setting(connection: Connection, name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    return str(row[0]) if row else ""


def _number(connection: Connection, sql: LiteralString) -> float:
    row = connection.execute(sql).fetchone()
    return float(row[0]) if row else 0.0
