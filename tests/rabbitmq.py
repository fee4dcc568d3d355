"""A RabbitMQ of the tests' own: one node, on loopback only, with its own epmd, folders, user and virtual hosts."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import amqp
from amqp.exceptions import AMQPError

from shop.tools.up.children import Child, Program
from shop.tools.up.ports import free_port
from shop.tools.up.servers import Server, last_complaint, on_path, plain_env

OWN = "tests"  # the virtual host of the tests' own process
VIRTUAL_HOSTS = (OWN, "live", "upgrade")
READY_WITHIN = 60.0  # s; it takes 5
ATTEMPTS = 3  # a port can be taken between its choice and its use
DEBIANS = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # what it has on PATH insists on a user of its own


class NoRabbitMQ(Exception):
    """It can't be started; the message says why."""


@contextmanager
def running_rabbitmq(folder: Path) -> Iterator[Server]:
    """``url`` of the server is that of the virtual host ``OWN``."""
    binary, epmd_binary = _binary(), shutil.which("epmd")
    if not binary or not epmd_binary:
        raise NoRabbitMQ("There is no RabbitMQ here: install rabbitmq-server (Debian, Ubuntu: apt install).")
    complaint = ""
    for _attempt in range(ATTEMPTS):
        epmd_port = free_port()
        epmd = Child(
            Program(
                name="epmd",
                argv=(epmd_binary, "-address", "127.0.0.1", "-port", str(epmd_port)),
                env=plain_env(),
                log=folder / "epmd.log",
                ready=lambda child, port=epmd_port: _listens(port),  # type: ignore[misc]
                stop_signal=signal.SIGKILL,
            )
        )
        node = _node(binary, folder / "rabbitmq", epmd_port)
        try:
            epmd.start()
            if epmd.wait_ready(10):  # else the node would start one that stays
                node.child.start()
                if node.child.wait_ready(READY_WITHIN):
                    yield node
                    return
            complaint = last_complaint(node.child.output() or epmd.output())
        finally:
            node.stop()
            epmd.stop()
    raise NoRabbitMQ(f"RabbitMQ did not start: {complaint[:300]}")


def _binary() -> Path | None:
    return DEBIANS if DEBIANS.exists() else next(on_path(("rabbitmq-server",)), None)


def _node(binary: Path, folder: Path, epmd_port: int) -> Server:
    port, dist_port, password = free_port(), free_port(), secrets.token_urlsafe(12)
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("home", "data", "log"):
        (folder / part).mkdir(mode=0o700, parents=True)
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    definitions = {
        "vhosts": [{"name": name} for name in VIRTUAL_HOSTS],
        "users": [{"name": "shop", "password": password, "tags": ""}],
        "permissions": [{"user": "shop", "vhost": name, **rights} for name in VIRTUAL_HOSTS],
    }
    _write(folder / "definitions.json", json.dumps(definitions))
    _write(
        folder / "rabbitmq.conf",
        f"listeners.tcp.1 = 127.0.0.1:{port}\nload_definitions = {folder}/definitions.json\n"
        "log.console = true\nlog.console.level = warning\nlog.file = false\ndisk_free_limit.absolute = 50MB\n",
    )
    _write(folder / "plugins", "[].")
    env = {
        **plain_env(),
        "HOME": str(folder / "home"),  # of its cookie
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_NODENAME": f"shop-{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(dist_port),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
        "RUNNING_UNDER_SYSTEMD": "true",  # the script then becomes the node, instead of starting it
    }
    url = f"amqp://shop:{password}@127.0.0.1:{port}/{OWN}"
    program = Program(
        name="rabbitmq",
        argv=(str(binary),),
        env=env,
        log=folder / "node.log",
        ready=lambda child: _lets_in(port, password),
        stop_signal=signal.SIGKILL,  # nobody needs its data any more
    )
    return Server(url, Child(program))


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def _lets_in(port: int, password: str) -> bool:
    if not _listens(port):
        return False
    try:
        with amqp.Connection(
            f"127.0.0.1:{port}", userid="shop", password=password, virtual_host=OWN, connect_timeout=2
        ):
            return True
    except (AMQPError, OSError):
        return False
