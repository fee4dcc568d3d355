"""A client of the API that costs little itself: raw sockets, kept alive, in one loop; bodies are made beforehand."""

from __future__ import annotations

import json
import random
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, cycle
from uuid import uuid4

from benchmarks.steps import PRODUCTS
from benchmarks.systems.shop import sku

BODIES = 1000  # different ones
PATIENCE = 30.0  # s for the last answers
ACCEPTED = 202


@dataclass
class Answers:
    """``waits``: seconds from when a request was due until its answer was there, of those that were accepted."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)  # by status


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._got = b""
        self._due = 0.0

    def send(self, request: bytes, due: float) -> None:
        self._due = due
        self.socket.sendall(request)

    def answered(self) -> tuple[int, float] | None:
        """Status and seconds waited; None: there is more to come."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("The server has closed a connection that is kept alive.")
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            return None
        self._got = b""
        return int(head[9:12]), time.monotonic() - self._due


def post(port: int, token: str, seconds: float, connections: int, rate: float | None = None) -> Answers:
    """Post orders of two products. ``rate``: so many a second, each when it is due, whatever became of the others.

    Without it each connection sends its next order as soon as the last one is answered.
    """
    requests, answers = _requests(port, token), Answers()
    with selectors.DefaultSelector() as selector:
        free = deque(Connection(port) for _ in range(connections))
        for connection in free:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        began = time.monotonic()
        due, end, sent = began, began + seconds, 0
        while (now := time.monotonic()) < end or due < end or len(free) < connections:
            if now > end + PATIENCE:
                raise TimeoutError(f"{connections - len(free)} requests were not answered.")
            if not rate:
                due = now
            while free and due <= now and due < end:
                free.popleft().send(next(requests), due)
                sent += 1
                due = began + sent / rate if rate else due
            wait = max(0.0, due - now) if rate and free and due < end else 0.1
            for key, _ in selector.select(wait):
                if answer := key.data.answered():
                    status, waited = answer
                    free.append(key.data)
                    if status == ACCEPTED:
                        answers.waits.append(waited)
                    else:
                        answers.refused[status] += 1
        answers.seconds = time.monotonic() - began
        for connection in free:
            connection.socket.close()
    return answers


def _requests(port: int, token: str) -> Iterator[bytes]:
    """Each with a key of its own."""
    head = (
        f"POST /api/v1/orders/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Token {token}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: {uuid4()}-"
    ).encode()
    tails = []
    for _ in range(BODIES):
        body = _body()
        tails.append(b"\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    return (b"%b%d%b" % (head, number, tail) for number, tail in zip(count(), cycle(tails)))


def _body() -> bytes:
    address = {
        "name": "Ada Byron",
        "line1": "12 St James's Sq",
        "city": "London",
        "postcode": "N1",
        "country": "GB",
    }
    lines = [{"sku": sku(number), "quantity": 1} for number in random.sample(range(PRODUCTS), 2)]
    order = {
        "lines": lines,
        "currency": "GBP",
        "payment_method": "pm_card_approved",
        "email": "ada@example.invalid",
        "address": address,
    }
    return json.dumps(order).encode()
