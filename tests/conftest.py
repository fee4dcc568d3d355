"""The live shop: one stack of real processes on a database of its own, for all tests that ask for ``live``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from celery import current_app
from django.conf import settings
from django.db import connections
from pytest_django import DjangoDbBlocker

from shop.messaging.given_up import declare_queues
from tests.brokers import broker_environment, broker_of
from tests.live import Live
from tests.stack import LiveStack

# Waits that a test would otherwise sit through; what they mean is the same.
QUICK = {
    "MESSAGING_POLL_EVERY": "0.25",
    "MESSAGING_RESEND_AFTER": "0.5",
    "MESSAGING_RESEND_CAP": "5",
    "MESSAGING_REACT_WITHIN": "2",
    "SAGA_DEADLINE": "1",
    "RETRY_FIRST": "0.2",
    "RETRY_ATTEMPTS": "6",
    "PROBE_EVERY": "1",
    "WEBHOOKS_ANYWHERE": "1",
    "WEBHOOKS_ANSWER_WITHIN": "0.4",
    "WEBHOOKS_LOOK_EVERY": "0.1",
    "WEBHOOKS_RETRY_FIRST": "0.1",
    "SANDBOX_SLOW_SECONDS": "0.5",
    "SANDBOX_DOWN_SECONDS": "0.5",
}


def database_variables() -> list[str]:
    """DATABASE_URL and, where apps have databases of their own, <APP>_DATABASE_URL."""
    return [name for name in os.environ if name.endswith("DATABASE_URL")]


@contextmanager
def fresh_databases(before: str = "") -> Iterator[dict[str, str]]:
    """A fresh database beside each configured one, migrated. Yields the environment that names them.

    ``before``: SQL that is run in each before it is migrated; ``{database}`` is its name.
    """
    fresh: dict[str, str] = {}
    for name in database_variables():
        server, _, database = os.environ[name].rpartition("/")
        fresh[name] = f"{server}/live_{database.partition('?')[0]}_{uuid4().hex[:8]}"
        with psycopg.connect(os.environ[name], autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{fresh[name].rpartition("/")[2]}"')
        if before:
            with psycopg.connect(fresh[name], autocommit=True) as connection:
                connection.execute(before.format(database=fresh[name].rpartition("/")[2]))
    aliases = ["default", *(alias for alias in settings.DATABASES if alias != "default")]
    for alias in aliases:
        migrate = [sys.executable, "manage.py", "migrate", "-v", "0", "--database", alias]
        subprocess.run(migrate, cwd=settings.BASE_DIR, env={**os.environ, **fresh}, check=True)
    yield fresh
    for name, url in fresh.items():
        with psycopg.connect(os.environ[name], autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')


@pytest.fixture(scope="session")
def live_databases() -> Iterator[dict[str, str]]:
    with fresh_databases() as fresh:
        yield fresh


@pytest.fixture(scope="session")
def stack(live_databases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    with current_app.producer_or_acquire(None) as producer:
        declare_queues(producer)  # those of this process
    env = {**QUICK, **live_databases, **broker_environment("live")}
    with LiveStack(env, tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def live(
    stack: LiveStack, live_databases: dict[str, str], django_db_blocker: DjangoDbBlocker, settings: Any
) -> Iterator[Live]:
    """The running shop, and this process connected to the shop's database."""
    settings.PAYMENTS_URL = stack.env["PAYMENTS_URL"]
    settings.CARRIER_URL = stack.env["CARRIER_URL"]
    with django_db_blocker.unblock(), connected_to(live_databases):
        yield Live(stack, broker_of("live"))


@contextmanager
def connected_to(databases: Mapping[str, str]) -> Iterator[None]:
    """This process, to the databases that are named so in an environment."""
    names = {alias: connections[alias].settings_dict["NAME"] for alias in connections}
    for alias in connections:
        variable = "DATABASE_URL" if alias == "default" else f"{alias.upper()}_DATABASE_URL"
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = databases[variable].rpartition("/")[2]
    try:
        yield
    finally:
        for alias, name in names.items():
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name
