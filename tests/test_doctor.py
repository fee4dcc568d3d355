"""Installations that are broken, each really made, are named by the doctor; of a whole one it says nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
from django.conf import settings
from django.contrib.auth.hashers import make_password
from kombu import Connection

from shop.base.postgres import database
from shop.tools.doctor import clock, disk, processes, versions
from shop.tools.doctor.database import connect
from shop.tools.doctor.findings import Finding, Level
from shop.tools.doctor.installation import Installation, Provider
from shop.tools.doctor.run import checks_of, examine
from shop.tools.up.datafolder import scratch_folder
from shop.tools.up.ports import free_port
from shop.tools.up.redis import start_redis
from shop.tools.up.servers import Server
from tests.brokers import virtual_host
from tests.clocks import SETTABLE
from tests.servers import servers
from tests.stack import LiveStack

KEY = "Zq3v" * 4 + "oP9-xW_7" * 6
AT_MOST = 6.0  # s for all of it, with everything away, and on a busy machine

Shop = Callable[..., Installation]


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


CROWDED = (
    "may want"  # with databases apart, the tests' one server has too few connections for all there may be
)


def found_by(name: str, shop: Installation) -> list[Finding]:
    apart = len(shop.databases) > 1
    return [finding for finding in checks_of(shop)[name]() if not (apart and CROWDED in finding.what)]


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


@contextmanager
def silent() -> Iterator[int]:
    """A port that lets everybody in, and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        yield listening.getsockname()[1]


def one(findings: list[Finding], level: Level, *words: str) -> Finding:
    """The only finding there is, with these words in it."""
    assert [finding.level for finding in findings] == [level], findings
    (finding,) = findings
    for word in words:
        assert word in f"{finding.what} {finding.do}", finding
    return finding


@contextmanager
def somebody_in_charge(shop: Installation) -> Iterator[None]:
    with connect(shop.databases["default"]) as connection:
        connection.execute(
            "INSERT INTO auth_user (username, password, is_superuser, is_active, is_staff, first_name, last_name, email, "
            "date_joined) VALUES ('boss', %s, true, true, true, '', '', '', now())",
            [make_password(KEY)],
        )
        try:
            yield
        finally:
            connection.execute("DELETE FROM auth_user WHERE username = 'boss'")


# --- A whole one -------------------------------------------------------------------------------------------------


def test_nothing_is_found_where_nothing_is_wrong(stack: LiveStack, shop: Shop) -> None:
    env = {
        **stack.env,
        "SECRET_KEY": KEY,
        "PUBLIC_URL": shop().public_url,
        "PAGES": "1",
        "MESSAGING_POINTS": "",
    }
    command = [sys.executable, "manage.py", "doctor", "--json"]
    with somebody_in_charge(shop()):
        told = subprocess.run(
            command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, timeout=60, check=False
        )
    found = json.loads(told.stdout)
    apart = len(shop().databases) > 1
    assert [one for one in found["findings"] if not (apart and CROWDED in one["what"])] == []
    assert found["unknown"] == []
    assert {"settings", "database", "broker", "relay", "workers", "providers", "work", "disk"} <= {
        *found["checked"]
    }
    assert (found["level"], told.returncode) == (("worry", 1) if apart else ("fine", 0))


# --- Broken ones -------------------------------------------------------------------------------------------------


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
        for service in settings.SERVICES:
            connection.default_channel.queue_delete(service)
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


def test_a_full_disk_is_named(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)], check=False, capture_output=True
    ).returncode
    try:
        if not mounted:  # not everybody may
            monkeypatch.setattr(disk, "LEAST", 2**60)
            monkeypatch.setattr(disk, "LITTLE", 2**60)
        one(found_by("disk", shop(data=tmp_path)), Level.WRONG, str(tmp_path), "MB left", "Make room")
    finally:
        if mounted:
            subprocess.run(["umount", str(tmp_path)], check=True)


def test_passwords_that_others_can_read_are_named(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.touch(mode=0o600)
    assert found_by("files", shop(data=tmp_path)) == []
    file.chmod(0o644)
    one(
        found_by("files", shop(data=tmp_path)),
        Level.WRONG,
        "other users of this computer",
        f"chmod 600 {file}",
    )


def test_a_password_anybody_would_try_is_named(shop: Shop, copy: Any) -> None:
    config, connection = copy
    broken = shop(databases={"default": config})
    one(found_by("accounts", broken), Level.WORRY, "nobody who may do everything", "createsuperuser")
    add = "INSERT INTO auth_user VALUES (1, 'root', %s, true, true)"
    connection.execute(add, [make_password("root")])
    one(found_by("accounts", broken), Level.WRONG, "The password of root", "changepassword root")


def test_settings_that_leave_the_door_open_are_named(shop: Shop) -> None:
    public = {"public_url": "https://shop.example", "allowed_hosts": ["shop.example"]}
    quiet = {finding.what for finding in found_by("settings", shop(**public))}

    def new(**changes: Any) -> list[Finding]:
        return [one for one in found_by("settings", shop(**{**public, **changes})) if one.what not in quiet]

    one(new(debug=True), Level.WRONG, "DEBUG is on and PUBLIC_URL is https://shop.example", "Unset DEBUG")
    one(new(demo=True), Level.WRONG, "DEMO is on", "Unset DEMO")
    one(new(secret_key=""), Level.WRONG, "SECRET_KEY is not set")
    one(new(secret_key="short"), Level.WRONG, "SECRET_KEY is weak", "50 random characters")
    one(new(allowed_hosts=["*"]), Level.WRONG, "ALLOWED_HOSTS is *")
    one(new(allowed_hosts=["localhost"]), Level.WRONG, "shop.example is not in ALLOWED_HOSTS")
    in_the_clear = new(public_url="http://shop.example")
    one(in_the_clear, Level.WRONG, "passwords and tokens travel in the clear", "TLS")


def test_no_relay_no_web_and_no_provider_are_named(shop: Shop, copy: Any, settings: Any) -> None:
    config, _ = copy
    one(
        found_by("relay", shop(databases={"default": config})),
        Level.WRONG,
        "No relay runs",
        "manage.py relay",
    )
    closed = f"http://127.0.0.1:{free_port()}"
    one(found_by("web", shop(public_url=closed)), Level.WRONG, "does not answer", "Start the web process")
    away = {"carrier": Provider("CARRIER", "CARRIER_URL", closed)}
    one(found_by("providers", shop(providers=away)), Level.WRONG, "carrier can't be reached", "CARRIER_URL")
    settings.PAYMENTS_GATEWAY = "payments.gateway.NoSuch"
    one(found_by("providers", shop()), Level.WRONG, "payments.gateway.NoSuch", "PAYMENTS_GATEWAY")


def test_messages_that_wait_for_a_person_are_named(shop: Shop) -> None:
    config = shop().databases.get("payments", shop().databases["default"])
    event = uuid4()
    before = found_by("work", shop())
    with connect(config) as connection:
        connection.execute(
            "INSERT INTO payments_inbox (event_id, receiver, type, order_id, number, state) "
            "VALUES (%s, 'nobody', 'Nothing', %s, 'S-0', 'parked')",
            [event, uuid4()],
        )
        try:
            found = [one for one in found_by("work", shop()) if one not in before]
        finally:
            connection.execute("DELETE FROM payments_inbox WHERE event_id = %s", [event])
    one(found, Level.WORRY, "to payments are parked", "/admin/payments/inbox/?state__exact=parked")


def test_where_nobody_answers_it_is_said_in_time_and_the_worst_first(shop: Shop) -> None:
    with silent() as port:
        url = f"redis://127.0.0.1:{port}"
        whole = shop()
        silence = replace(
            whole,
            databases={
                name: {**one, "HOST": "127.0.0.1", "PORT": port} for name, one in whole.databases.items()
            },
            redis_url=url,
            broker_url=url,
            public_url=f"http://127.0.0.1:{port}",
            providers={who: one._replace(url="http://127.0.0.1:9") for who, one in whole.providers.items()},
            secret_key="",
        )
        begun = time.monotonic()
        report = examine(silence)
        took = time.monotonic() - begun
    assert took < AT_MOST
    assert {"database", "broker", "web", "providers"} <= {
        finding.check for finding in report.findings if finding.level == Level.WRONG
    }
    levels = [finding.level for finding in report.findings]
    assert levels == sorted(levels, reverse=True)
    assert report.level == Level.WRONG
    assert "SECRET_KEY" in report.findings[-1].what  # only a worry, on a computer that nobody else reaches
