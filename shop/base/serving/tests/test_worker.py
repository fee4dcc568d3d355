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

import psutil
import pytest
from django.conf import settings

from shop.base.brakes.addresses import peer_of
from shop.base.serving.worker import MOST_OF_HEADERS
from shop.tools.up.ports import free_port

MOST, OF_ONE = 8, 5
CONFIGURATION = """
import socket
from shop.base.serving import worker
worker.HEADERS_WITHIN = worker.READ_WITHIN = 0.5

def post_worker_init(worker):  # the system keeps little of what is sent
    for listener in worker.sockets:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
"""
APPLICATION = """
import asyncio

SIZES = {"/much": 20_000_000, **{f"/page/{number}": number * 30_000 for number in range(2, 9)}}

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
        body = bytes(SIZES.get(scope["path"], 2))
        await send({"type": "http.response.body", "body": body})

application = Application()
"""
Connect = Callable[..., socket.socket]


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
    env = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{settings.BASE_DIR}",
        "CONNECTIONS_PER_ADDRESS": str(OF_ONE),
    }
    with ExitStack() as stack, subprocess.Popen(command, env=env, cwd=tmp_path) as process:

        def connect(sent: bytes, source: str = "127.0.0.1", keeps: int = 0) -> socket.socket:
            """``keeps``: so many bytes that it has not read, at the most."""
            client = stack.enter_context(socket.socket())
            if keeps:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, keeps)
            client.settimeout(10)
            client.bind((source, 0))
            client.connect(("127.0.0.1", port))
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


def test_who_reads_nothing_of_what_is_left_when_all_is_written_is_cut_off_too(
    gunicorn: tuple[subprocess.Popen[bytes], Connect],
) -> None:
    """What is left is too little for gunicorn to wait for the client: it closes, which the client puts off for ever.

    How much the system takes is its own affair; of one of these pages so much is left.
    """
    process, connect = gunicorn
    deaf = [connect(get(f"/page/{number}", close=True), keeps=2048) for number in range(2, 2 + OF_ONE)]
    (worker,) = psutil.Process(process.pid).children()
    open_for = time.monotonic() + 1.5
    while left := [of for of in worker.net_connections() if of.status == "ESTABLISHED"]:
        assert time.monotonic() < open_for, left
        time.sleep(0.1)
    assert deaf


@pytest.mark.skipif(sys.platform != "linux", reason="Others have to be given a second address first.")
def test_there_are_no_more_clients_than_there_may_be_and_one_address_leaves_some_to_others(
    gunicorn: tuple[subprocess.Popen[bytes], Connect],
) -> None:
    _, connect = gunicorn
    streams = [connect(get("/stream")) for _ in range(OF_ONE)]
    assert all(stream.recv(1000).startswith(b"HTTP/1.1 200") for stream in streams)
    assert until_closed(connect(get("/"))).startswith(b"HTTP/1.1 429")
    others = [connect(get("/stream"), "127.0.0.2") for _ in range(MOST - OF_ONE)]
    assert all(stream.recv(1000).startswith(b"HTTP/1.1 200") for stream in others)
    assert until_closed(connect(get("/"), "127.0.0.3")).startswith(b"HTTP/1.1 503")
    streams[0].close()
    time.sleep(0.2)
    assert until_closed(connect(get("/", close=True))).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("peer", "whom"),
    [
        (("192.0.2.7", 1234), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1234, 0, 0), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1234, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 1234, 0, 2), "fe80::/64"),
        ("", ""),
    ],
)
def test_whose_a_connection_is(peer: object, whom: str) -> None:
    assert peer_of(peer) == whom


def test_headers_are_bounded_all_together(gunicorn: tuple[subprocess.Popen[bytes], Connect]) -> None:
    """Those that end, and those that never do; the next ones on a connection, too."""
    _, connect = gunicorn
    line = b"X-%d: " + bytes(3000).replace(b"\0", b"a") + b"\r\n"
    some, many = (b"".join(line % number for number in range(count)) for count in (9, 12))
    assert len(some) < MOST_OF_HEADERS < len(many)
    start = get("/", close=True)[:-2]
    assert until_closed(connect(start + some + b"\r\n")).startswith(b"HTTP/1.1 200")
    for tail in (b"\r\n", b""):
        assert until_closed(connect(start + many + tail)).startswith(b"HTTP/1.1 431")
    kept = connect(get("/"))
    assert kept.recv(1000).startswith(b"HTTP/1.1 200")
    kept.sendall(start + many)
    assert until_closed(kept).startswith(b"HTTP/1.1 431")


UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
AMBIGUOUS = {  # where one request ends and the next begins, a proxy might see otherwise
    "two lengths": b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    "a length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "something after chunked": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a length with a sign": b"Content-Length: +4\r\n\r\nabcd",
    "lines that end with a line feed": b"Content-Length: 4\n\nabcd",
    "a line that goes on in the next": b"X: a\r\n Content-Length: 4\r\n\r\nabcd",
    "two hosts": b"Host: other\r\n\r\n",
}


def test_nothing_but_plain_http_is_spoken_and_no_request_hides_in_another(
    gunicorn: tuple[subprocess.Popen[bytes], Connect],
) -> None:
    _, connect = gunicorn
    asked = connect(get("/")[:-2] + UPGRADE)
    assert asked.recv(1000).startswith(b"HTTP/1.1 200")
    hidden = get("/much", close=True)
    for way, sent in AMBIGUOUS.items():
        told = until_closed(connect(b"POST / HTTP/1.1\r\nHost: shop\r\n" + sent + hidden))
        assert told[9:12] in (b"400", b"501"), way
        assert told.count(b"HTTP/1.1") == 1, way
    three = get("/") + get("/") + get("/", close=True)
    assert until_closed(connect(three)).count(b"HTTP/1.1 200") == 3


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
