"""A pytest plugin: PostgreSQL and Valkey of the tests' own, started before Django reads its settings.

Where DATABASE_URL and REDIS_URL are set already, those servers are used. ``--split-databases`` gives each app a
database of its own, as <APP>_DATABASE_URL does in production; every test must pass that way too. ``--broker rabbitmq``
has the messages of the running shop carried by a RabbitMQ of the tests' own.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from shop.tools.up.datafolder import scratch_folder
from shop.tools.up.postgres import start_postgres
from shop.tools.up.redis import start_redis
from shop.tools.up.servers import Server
from tests.rabbitmq import NoRabbitMQ, running_rabbitmq

_running = ExitStack()
servers: dict[str, Server] = {}  # those that are the tests' own, to be killed as they like


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--split-databases", action="store_true", help="give each app a database of its own")
    parser.addoption(
        "--broker", choices=("redis", "rabbitmq"), default="redis", help="what carries the messages"
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    os.environ.setdefault("SECRET_KEY", "only for tests")
    options = early_config.known_args_namespace
    if getattr(options, "numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)  # it only hands out the tests; each process that runs some has servers of its own
    own_rabbitmq = options.broker == "rabbitmq"
    if own_rabbitmq or not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        folder = _running.enter_context(scratch_folder())
        if not os.environ.get("DATABASE_URL"):
            servers["postgres"] = start_postgres(folder)
            _running.callback(servers["postgres"].stop)
            os.environ["DATABASE_URL"] = servers["postgres"].url
        if not os.environ.get("REDIS_URL"):
            servers["redis"] = start_redis(folder)
            _running.callback(servers["redis"].stop)
            os.environ["REDIS_URL"] = servers["redis"].url
        if own_rabbitmq:
            try:
                servers["rabbitmq"] = _running.enter_context(running_rabbitmq(folder))
            except NoRabbitMQ as error:
                raise pytest.UsageError(str(error)) from None
            os.environ["BROKER_URL"] = servers["rabbitmq"].url
    if options.split_databases:
        _one_database_per_app(os.environ["DATABASE_URL"])
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """What a process tells of its tests goes to the other as UTF-8; half a character, as hostile texts hold, can't."""
    return _sendable((yield))


def _sendable(told: Any) -> Any:
    match told:
        case str():
            return told.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_sendable(key): _sendable(value) for key, value in told.items()}
        case list() | tuple():
            return type(told)(_sendable(one) for one in told)
        case _:
            return told


def _one_database_per_app(url: str) -> None:
    for app in ("orders", "inventory", "payments", "shipping", "notifications"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE shop_{app}")
        os.environ[f"{app.upper()}_DATABASE_URL"] = f"{url.rpartition('/')[0]}/shop_{app}"


def pytest_unconfigure() -> None:
    _running.close()
