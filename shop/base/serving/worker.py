"""gunicorn's worker for ASGI, and what it leaves open: how long a client may dawdle, and how many there may be."""

from __future__ import annotations

import asyncio
import importlib
import os
import resource
from collections import Counter
from typing import Any

from django.conf import settings
from gunicorn.asgi.parser import LimitRequestHeaders
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

from shop.base.brakes.addresses import peer_of

HEADERS_WITHIN = 10.0  # s from when a connection is there
MOST_OF_HEADERS = 32 * 1024  # bytes of a request's, all together
READ_WITHIN = 60.0  # s in which a client that reads nothing must go on reading
AT_ONCE = 16 * 1024  # bytes that are read of a connection before anybody looks at them
OTHER_FILES = 500  # open at once beside the connections of clients
TOO_MANY, TOO_MANY_OF_YOURS = (
    f"HTTP/1.1 {status}\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    for status in ("503 Service Unavailable", "429 Too Many Requests")
)
TOO_LONG = f"The headers are more than {MOST_OF_HEADERS:,} bytes."


class Connection(ASGIProtocol):  # type: ignore[misc]
    """A client's connection. Bodies have their time in ``bodies.py``, idle ones in gunicorn."""

    _dawdles: asyncio.TimerHandle | None = None
    _head = 0  # bytes that came of the headers that are not complete yet

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.max_size = self._max_buffer_size = AT_ONCE
        self.worker.connections.add(self)
        self._allow(HEADERS_WITHIN)
        self._whose = peer_of(transport.get_extra_info("peername"))
        self.worker.of_each[self._whose] += 1
        most: int = settings.CONNECTIONS_PER_ADDRESS
        if self.worker.nr_conns > self.worker.worker_connections:
            self._refuse(TOO_MANY)
        elif most and self._whose and self.worker.of_each[self._whose] > most:
            self._refuse(TOO_MANY_OF_YOURS)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.idle and not self._closed:
            self._head += len(data)
            if self._head > MOST_OF_HEADERS:
                self._send_error_response(431, TOO_LONG)
                self.close()

    def _on_headers_complete(self) -> bool:
        self._hurry_no_more()
        self._head = 0
        if sum(len(name) + len(value) for name, value in self._callback_parser.headers) > MOST_OF_HEADERS:
            raise LimitRequestHeaders(TOO_LONG)
        return bool(super()._on_headers_complete())

    def _is_websocket_upgrade(self, request: Any) -> bool:
        """There are none here: who asks for one is answered as if they had not, as HTTP has it."""
        return False

    def pause_writing(self) -> None:
        super().pause_writing()
        self._allow(READ_WITHIN)

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self._closed:
            self._hurry_no_more()

    def _close_transport(self) -> None:
        """What is left of an answer, nobody waits for it for ever, as gunicorn does."""
        super()._close_transport()
        if self.transport.get_write_buffer_size():
            self._allow(READ_WITHIN)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hurry_no_more()
        self.worker.connections.discard(self)
        self.worker.of_each[self._whose] -= 1
        if not self.worker.of_each[self._whose]:
            del self.worker.of_each[self._whose]
        super().connection_lost(exc)

    @property
    def idle(self) -> bool:
        """Whether no request is under way: it has brought none, or the next one is waited for."""
        return self._current_request is None

    def close(self) -> None:
        self._close_transport()
        self._request_ready.set()  # who waits for the next request sees that there will be none

    def _refuse(self, answer: bytes) -> None:
        self._safe_write(answer)
        self.close()

    def _allow(self, seconds: float) -> None:
        self._hurry_no_more()
        self._dawdles = self.worker.loop.call_later(seconds, self.transport.abort)

    def _hurry_no_more(self) -> None:
        if self._dawdles:
            self._dawdles.cancel()
            self._dawdles = None


class Worker(gasgi.ASGIWorker):  # type: ignore[misc]
    """Given to gunicorn as ``--worker-class shop.base.serving.worker.Worker``."""

    connections: set[Connection]
    of_each: Counter[str]  # how many connections an address has

    @classmethod
    def setup(cls) -> None:
        """In gunicorn's first process: where a setting is wrong this ends it, before workers are started in vain."""
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
        importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"])

    def init_process(self) -> None:
        self.connections, self.of_each = set(), Counter()
        gasgi.ASGIProtocol = Connection  # gunicorn has no setting for it
        _allow_files(self.worker_connections + OTHER_FILES)
        super().init_process()

    def handle_exit_signal(self) -> None:
        """SIGTERM: who has a request under way gets its answer, nobody else is waited for."""
        super().handle_exit_signal()
        self.asgi.stop()
        for connection in list(self.connections):
            if connection.idle:
                connection.close()


def _allow_files(most: int) -> None:
    """Each connection is one."""
    now, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now != resource.RLIM_INFINITY and now < most:
        most = most if limit == resource.RLIM_INFINITY else min(most, limit)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, limit))
