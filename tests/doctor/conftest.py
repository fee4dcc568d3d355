"""The running shop's installation, and what a test may break of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from shop.base.postgres import database
from shop.tools.doctor.database import connect
from shop.tools.doctor.installation import Installation
from shop.tools.up.datafolder import scratch_folder
from shop.tools.up.redis import start_redis
from shop.tools.up.servers import Server
from tests.doctor.broken import KEY, Shop
from tests.stack import LiveStack


@pytest.fixture
def shop(stack: LiveStack, live_databases: Mapping[str, str]) -> Shop:
    """The installation of the running shop; with changes, if any. A sandbox stands in for the web: it has /livez too."""

    def installation(**changes: Any) -> Installation:
        aliases = {name: name.removesuffix("_DATABASE_URL").lower() for name in live_databases}
        here = Installation.here()
        found = replace(
            here,
            databases={
                "default" if name == "DATABASE_URL" else alias: database(live_databases[name], {})
                for name, alias in aliases.items()
            },
            broker_url=stack.env.get("BROKER_URL") or here.redis_url,
            broker_options={**here.broker_options, "global_keyprefix": "live:"},
            prefix="live:",
            providers={
                who: one._replace(url=stack.env[one.of_address]) for who, one in here.providers.items()
            },
            secret_key=KEY,
            public_url=stack.env["PAYMENTS_URL"],
            data=stack.data,
        )
        return replace(found, **changes)

    return installation


@pytest.fixture
def copy(shop: Shop) -> Iterator[tuple[Mapping[str, Any], psycopg.Connection[Any]]]:
    """A database that nobody uses but the test, with the migrations noted as in the shop's; and a connection to it."""
    whole = shop().databases["default"]
    name, server = f"doctor_{uuid4().hex[:8]}", os.environ["DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    config = {**whole, "NAME": name}
    try:
        with connect(whole) as source, connect(config) as target:
            target.execute("CREATE TABLE django_migrations (app text, name text)")
            target.execute(
                "CREATE TABLE auth_user (id int, username text, password text, is_superuser bool, is_active bool)"
            )
            with target.cursor() as cursor:
                rows = source.execute("SELECT app, name FROM django_migrations").fetchall()
                cursor.executemany("INSERT INTO django_migrations VALUES (%s, %s)", rows)
            yield config, target
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def valkey() -> Iterator[Server]:
    """One of the test's own, to be broken."""
    with scratch_folder() as folder, ExitStack() as stack:
        server = start_redis(folder)
        stack.callback(server.stop)
        yield server
