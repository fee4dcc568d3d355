"""The web process as `up` starts it, for tests of what only a real one does, and clients that are slow or stay long."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from shop.tools.up.children import Child
from shop.tools.up.ports import free_port
from shop.tools.up.programs import Programs


class Web:
    def __init__(self, env: Mapping[str, str], data: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.child = Child(Programs(env, data).web(self.port))

    @property
    def threads(self) -> int:
        """Of the process that answers, which is gunicorn's only worker."""
        (worker,) = psutil.Process(self.child.pid).children()
        return worker.num_threads()

    def connect(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        client.sendall(sent)
        return client

    def get(self, path: str) -> tuple[bytes, float]:
        """The first line of the answer, and the seconds it took."""
        began = time.monotonic()
        with self.connect(request("GET", path)) as client:
            line = client.recv(65536).partition(b"\r\n")[0]
        return line, time.monotonic() - began


@contextmanager
def running_web(env: Mapping[str, str], data: Path) -> Iterator[Web]:
    web = Web(env, data)
    try:
        web.child.start()
        assert web.child.wait_ready(30), web.child.output()
        yield web
    finally:
        web.child.stop()


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    named = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def until_closed(client: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    parts = []
    try:
        while part := client.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
