"""A pytest plugin: PostgreSQL and Valkey of the tests' own, started before Django reads its settings.

Where DATABASE_URL and REDIS_URL are set already, those servers are used.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from shop.up.datafolder import scratch_folder
from shop.up.postgres import start_postgres
from shop.up.redis import start_redis

_running = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    os.environ.setdefault("SECRET_KEY", "only for tests")
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        folder = _running.enter_context(scratch_folder())
        if not os.environ.get("DATABASE_URL"):
            postgres = start_postgres(folder)
            _running.callback(postgres.stop)
            os.environ["DATABASE_URL"] = postgres.url
        if not os.environ.get("REDIS_URL"):
            redis = start_redis(folder)
            _running.callback(redis.stop)
            os.environ["REDIS_URL"] = redis.url
    return (yield)


def pytest_unconfigure() -> None:
    _running.close()
