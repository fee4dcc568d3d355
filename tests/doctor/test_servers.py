"""Databases and brokers that are broken, each really, are named by the doctor."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from kombu import Connection

from shop.tools.doctor import clock, processes, versions
from shop.tools.doctor.findings import Level
from shop.tools.up.servers import Server
from tests.brokers import virtual_host
from tests.clocks import SETTABLE
from tests.doctor.broken import Shop, found_by, one
from tests.servers import servers


def test_a_valkey_that_throws_messages_away_or_forgets_them_is_named(shop: Shop, valkey: Server) -> None:
    broken = shop(redis_url=valkey.url, broker_url=valkey.url)
    assert found_by("broker", broken) == []
    with redis.Redis.from_url(valkey.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        one(found_by("broker", broken), Level.WRONG, "throws keys away", "allkeys-lru", "noeviction")
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        one(found_by("broker", broken), Level.WRONG, "of its memory", "Raise maxmemory")
        client.config_set("maxmemory", 0)
        client.config_set("appendonly", "no")
        one(found_by("broker", broken), Level.WORRY, "keeps nothing on disk", "appendonly yes")
        client.config_set("appendonly", "yes")


def test_a_queue_without_a_consumer_and_one_that_nobody_declared_are_named(
    shop: Shop, valkey: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LISTENS", 0.3)  # s; there is nobody to wait for
    nobody = shop(
        redis_url=valkey.url,
        broker_url=valkey.url,
        prefix="shop:",
        broker_options={"global_keyprefix": "shop:"},
        data=None,
    )
    with redis.Redis.from_url(valkey.url) as client:
        client.rpush("shop:payments", "message", "another")
        client.rpush("shop:billing", "message")
        found = found_by("workers", nobody)
        client.flushall()
    by_queue = {finding.what.split()[2 if "consumer" in finding.what else 4]: finding for finding in found}
    assert {*by_queue} == {*settings.SERVICES, "billing"}
    one(
        [by_queue["payments"]], Level.WRONG, "has no consumer", "2 messages wait", "manage.py worker payments"
    )
    one([by_queue["billing"]], Level.WORRY, "that nobody has declared, with 1 messages")


def test_a_valkey_that_is_frozen_refuses_or_is_stopped_is_named(shop: Shop, valkey: Server) -> None:
    broken = shop(redis_url=valkey.url, broker_url=valkey.url)
    other = valkey.url.replace("redis://:", "redis://:not")
    one(
        found_by("broker", shop(redis_url=other, broker_url=other)),
        Level.WRONG,
        "does not let us in",
        "Set the password in REDIS_URL",
    )
    os.kill(valkey.child.pid, signal.SIGSTOP)
    try:
        one(
            found_by("broker", broken),
            Level.WRONG,
            "does not let us in: Timeout",
            "Start Valkey or Redis there",
        )
    finally:
        os.kill(valkey.child.pid, signal.SIGCONT)
    valkey.stop()
    finding = one(
        found_by("broker", broken), Level.WRONG, "Connection refused", "Start Valkey or Redis there"
    )
    assert valkey.url.split(":")[2].partition("@")[0] not in finding.what  # its password


@pytest.mark.skipif(
    not settings.BROKER.is_rabbitmq, reason="it takes RabbitMQ: make test ARGS='--broker rabbitmq'"
)
def test_a_rabbitmq_that_refuses_or_has_no_queues_is_named(shop: Shop) -> None:
    url = str(settings.CELERY_BROKER_URL)
    assert found_by("broker", shop()) == []
    one(
        found_by("broker", shop(broker_url=url.replace("shop:", "shop:not"))),
        Level.WRONG,
        "does not let us in",
        "Set user, password and virtual host",
    )
    with Connection(virtual_host("upgrade")) as connection:
        channel: Any = connection.default_channel
        for service in settings.SERVICES:
            channel.queue_delete(service)
    found = found_by("broker", shop(broker_url=virtual_host("upgrade")))
    assert [finding.what for finding in found] == [
        f"There is no queue {service} in RabbitMQ: nobody has declared it." for service in settings.SERVICES
    ]


def test_a_wrong_password_and_a_database_that_is_not_there_are_named(shop: Shop) -> None:
    whole = shop().databases["default"]
    wrong = shop(databases={"default": {**whole, "PASSWORD": "not that"}})
    finding = one(
        found_by("database", wrong), Level.WRONG, "password authentication failed", "in DATABASE_URL"
    )
    assert "not that" not in finding.what
    missing = shop(databases={"default": {**whole, "NAME": "nowhere"}})
    one(found_by("database", missing), Level.WRONG, "does not exist", "Create what is missing")


def test_a_database_without_a_migration_is_named(shop: Shop, copy: Any) -> None:
    config, connection = copy
    broken = shop(databases={"default": config})
    assert found_by("database", broken) == []
    connection.execute("DELETE FROM django_migrations WHERE app = 'auth' AND name LIKE '0012%'")
    one(found_by("database", broken), Level.WRONG, "lacks migrations: auth 0012_", "python manage.py migrate")
    connection.execute("DROP TABLE django_migrations")
    one(found_by("database", broken), Level.WRONG, "is empty", "python manage.py migrate")


def test_a_clock_that_is_wrong_is_named(shop: Shop, copy: Any) -> None:
    config, connection = copy
    connection.execute(SETTABLE.format(database=config["NAME"]))
    broken = shop(databases={"default": config})
    for seconds, level, which in ((120, Level.WRONG, "120 s ahead of"), (-10, Level.WORRY, "10 s behind")):
        connection.execute("UPDATE clock.wrong SET by = make_interval(secs => %s)", [seconds])
        clocks = [finding for finding in found_by("database", broken) if finding.do == clock.DO]
        one(clocks, level, which, "NTP")


@pytest.mark.skipif("postgres" not in servers, reason="only of a server of the tests' own")
def test_a_postgresql_that_may_lose_what_it_has_is_named(shop: Shop) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        for name, value in (("fsync", "off"), ("synchronous_commit", "off")):
            try:
                connection.execute(f"ALTER SYSTEM SET {name} = {value}")
                connection.execute("SELECT pg_reload_conf()")
                deadline = time.monotonic() + 10
                while not (found := found_by("database", shop())) and time.monotonic() < deadline:
                    time.sleep(0.05)
                one(found, Level.WRONG, f"has {name} off", f"Set {name} = on")
            finally:
                connection.execute(f"ALTER SYSTEM RESET {name}")
                connection.execute("SELECT pg_reload_conf()")
                while connection.execute(f"SHOW {name}").fetchone() == ("off",):
                    time.sleep(0.05)


def test_a_log_that_may_repeat_people_is_named(shop: Shop, copy: Any) -> None:
    config, connection = copy
    connection.execute(f'ALTER DATABASE "{config["NAME"]}" SET log_min_error_statement = error')
    found = found_by("database", shop(databases={"default": config}))
    one(found, Level.WORRY, "may repeat people's names", "log_min_error_statement is error", "= panic")


def test_too_few_connections_are_named(shop: Shop, copy: Any) -> None:
    config, connection = copy
    connection.execute(f'ALTER DATABASE "{config["NAME"]}" CONNECTION LIMIT 30')
    found = [
        one for one in found_by("database", shop(databases={"default": config})) if "lets in" in one.what
    ]
    one(found, Level.WORRY, "lets in 30 at once", "Raise max_connections")
    connection.execute(f'ALTER DATABASE "{config["NAME"]}" CONNECTION LIMIT 2')
    found = [
        one for one in found_by("database", shop(databases={"default": config})) if "are taken" in one.what
    ]
    one(found, Level.WRONG, "of the 2 connections", "Raise max_connections")


def test_a_server_that_is_too_old_or_too_new_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(versions.SUPPORTED, "PostgreSQL", ((99,), (99,)))
    one(found_by("database", shop()), Level.WRONG, "can't do all", "Install PostgreSQL 99 or newer")
    monkeypatch.setitem(versions.SUPPORTED, "PostgreSQL", ((9,), (10,)))
    one(found_by("database", shop()), Level.WORRY, "was tried with 9 to 10")
