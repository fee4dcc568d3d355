"""gunicorn with our worker: who dawdles is cut off, there are no more clients than there may be, and its end is quick."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

from shop.tools.up.ports import free_port

MOST = 5
CONFIGURATION = """
from shop.base.serving import worker
worker.HEADERS_WITHIN = worker.READ_WITHIN = 0.5
"""
APPLICATION = """
import asyncio

class Application:
    def __init__(self):
        self.stopped = asyncio.Event()

    def stop(self):
        self.stopped.set()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            raise ValueError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            await self.stopped.wait()
        body = bytes(20_000_000) if scope["path"] == "/much" else b"ok"
        await send({"type": "http.response.body", "body": body})

application = Application()
"""
Connect = Callable[[bytes], socket.socket]


@pytest.fixture
def gunicorn(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Connect]]:
    (tmp_path / "tiny.py").write_text(APPLICATION)
    (tmp_path / "configuration.py").write_text(CONFIGURATION)
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "tiny:application", "--bind", f"127.0.0.1:{port}"),
        *("--config", str(tmp_path / "configuration.py"), "--no-control-socket"),
        *("--worker-class", "shop.base.serving.worker.Worker", "--worker-connections", str(MOST)),
    ]
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{settings.BASE_DIR}"}
    with ExitStack() as stack, subprocess.Popen(command, env=env, cwd=tmp_path) as process:

        def connect(sent: bytes) -> socket.socket:
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            client.sendall(sent)
            return client

        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                        client.sendall(get("/", close=True))
                        assert client.recv(100)
                    break
                except OSError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            yield process, connect
        finally:
            process.kill()


def get(path: str, *, close: bool = False) -> bytes:
    more = "Connection: close\r\n" if close else ""
    return f"GET {path} HTTP/1.1\r\nHost: shop\r\n{more}\r\n".encode()


def until_closed(client: socket.socket) -> bytes:
    parts = []
    try:
        while part := client.recv(1_000_000):
            parts.append(part)
    except ConnectionResetError:
        parts.append(b"reset")
    return b"".join(parts)


def test_who_dawdles_is_cut_off(gunicorn: tuple[subprocess.Popen[bytes], Connect]) -> None:
    """Who sends no headers, half of them, or reads nothing of a long answer; nobody else."""
    _, connect = gunicorn
    stream, silent, half = connect(get("/stream")), connect(b""), connect(get("/")[:-2])
    assert until_closed(silent) in (b"", b"reset")
    assert until_closed(half) in (b"", b"reset")
    deaf = connect(get("/much"))
    time.sleep(1.0)
    assert len(until_closed(deaf)) < 20_000_000
    assert len(until_closed(connect(get("/much", close=True)))) > 20_000_000  # who reads gets all of it
    stream.setblocking(False)
    assert stream.recv(1000).endswith(b"begun\r\n")
    with pytest.raises(BlockingIOError):
        stream.recv(1000)


def test_there_are_no_more_clients_than_there_may_be(
    gunicorn: tuple[subprocess.Popen[bytes], Connect],
) -> None:
    _, connect = gunicorn
    streams = [connect(get("/stream")) for _ in range(MOST)]
    assert all(stream.recv(1000).startswith(b"HTTP/1.1 200") for stream in streams)
    assert until_closed(connect(get("/"))).startswith(b"HTTP/1.1 503")
    streams[0].close()
    time.sleep(0.2)
    assert until_closed(connect(get("/", close=True))).startswith(b"HTTP/1.1 200")


def test_its_end_waits_for_no_stream_and_nobody_idle(
    gunicorn: tuple[subprocess.Popen[bytes], Connect],
) -> None:
    process, connect = gunicorn
    stream, kept, silent = connect(get("/stream")), connect(get("/")), connect(b"")
    assert stream.recv(1000)
    assert kept.recv(1000)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert until_closed(stream).endswith(b"0\r\n\r\n")
    assert (until_closed(kept), until_closed(silent)) == (b"", b"")
    assert process.wait(10) == 0
    assert time.monotonic() - began < 4
