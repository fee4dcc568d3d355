"""Each kind of client, many at once from one address, while somebody at another address asks how the shop is."""

from __future__ import annotations

import argparse
import asyncio
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing import Event, Pipe, Process
from multiprocessing.connection import Connection
from typing import Any

import psutil

from tests.attacks.clients import KINDS, Kind
from tests.web import request

ATTACKER, HONEST = "127.0.0.1", "127.0.0.2"  # Linux has both
LASTS = 25.0  # s
EACH = 0.1  # s between two questions of the honest one
PATIENCE = 30.0
ASKED = request("GET", "/livez", Connection="close")
HEAD = """\
| what a client does | clients | what becomes of them | others wait: median, s | longest | in vain | MB | threads |
|---|---|---|---|---|---|---|---|"""


async def attack(kind: Kind, port: int, until: float) -> str:
    """What became of one client of this kind: the status it got, or that it was cut off, or that it is there still."""
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setblocking(False)
    if not kind.reads:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    with client:
        try:
            async with asyncio.timeout_at(until):
                await loop.sock_connect(client, (ATTACKER, port))
                await loop.sock_sendall(client, kind.sent)
                if not kind.reads:
                    await asyncio.sleep(LASTS)
                told = await loop.sock_recv(client, 100)
        except TimeoutError:
            return "still there"
        except OSError:
            return "cut off"
    return told.split(b" ")[1].decode() if told.startswith(b"HTTP/1.1 ") else "cut off"


def asks(port: int, done: Any, told: Connection) -> None:
    """In a process of its own, so that it does not wait for the attackers, who have enough to do."""
    waits: list[float] = []
    failed = 0
    while not done.is_set():
        began = time.monotonic()
        try:
            with socket.create_connection((ATTACKER, port), PATIENCE, source_address=(HONEST, 0)) as client:
                client.sendall(ASKED)
                failed += not client.recv(100).startswith(b"HTTP/1.1 200")
        except OSError:
            failed += 1
        waits.append(time.monotonic() - began)
        time.sleep(EACH)
    told.send((waits, failed))


async def watches(web: psutil.Process, seen: list[tuple[int, int]]) -> None:
    while True:
        seen.append((web.memory_info().rss >> 20, web.num_threads()))
        await asyncio.sleep(0.5)


async def try_one(kind: Kind, clients: int, port: int, web: psutil.Process) -> str:
    done, (here, there) = Event(), Pipe()
    honest = Process(target=asks, args=(port, done, there))
    honest.start()
    seen: list[tuple[int, int]] = []
    watching = asyncio.create_task(watches(web, seen))
    await asyncio.sleep(1)
    until = asyncio.get_running_loop().time() + LASTS
    ends = Counter(await asyncio.gather(*(attack(kind, port, until) for _ in range(clients))))
    done.set()
    waits, failed = here.recv()
    honest.join()
    watching.cancel()
    told = ", ".join(f"{count:,} {end}" for end, count in ends.most_common())
    memory, threads = (max(values) for values in zip(*seen, strict=True))
    others = f"{sorted(waits)[len(waits) // 2]:.2f} | {max(waits):.2f} | {failed} of {len(waits)}"
    return f"| {kind.name} | {clients:,} | {told} | {others} | {memory} | {threads} |"


def web_process(port: int) -> psutil.Process:
    """gunicorn's worker."""
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if "gunicorn" in line and f"{ATTACKER}:{port}" in line and (children := process.children()):
            return children[0]
    sys.exit(f"No shop that `make run` has started listens at port {port} here. Say which by --port.")


async def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--only", default="", metavar="WORDS", help="kinds whose name has these")
    parser.add_argument("--clients", type=int, default=2_000, help="at once, of each kind")
    options = parser.parse_args(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    web = web_process(options.port)
    print(HEAD)
    for kind in (kind for kind in KINDS if options.only in kind.name):
        print(await try_one(kind, options.clients, options.port, web), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
