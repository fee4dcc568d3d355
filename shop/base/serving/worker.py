"""gunicorn's worker for ASGI, and what it leaves open: how long a client may dawdle, and how many there may be."""

from __future__ import annotations

import asyncio
import importlib
import os
import resource
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

HEADERS_WITHIN = 10.0  # s from when a connection is there
READ_WITHIN = 60.0  # s in which a client that reads nothing must go on reading
OTHER_FILES = 500  # open at once beside the connections of clients
TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class Connection(ASGIProtocol):  # type: ignore[misc]
    """A client's connection. Bodies have their time in ``bodies.py``, idle ones in gunicorn."""

    _dawdles: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.worker.connections.add(self)
        self._allow(HEADERS_WITHIN)
        if self.worker.nr_conns > self.worker.worker_connections:
            self._safe_write(TOO_MANY)
            self.close()

    def _on_headers_complete(self) -> bool:
        self._hurry_no_more()
        return bool(super()._on_headers_complete())

    def pause_writing(self) -> None:
        super().pause_writing()
        self._allow(READ_WITHIN)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._hurry_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hurry_no_more()
        self.worker.connections.discard(self)
        super().connection_lost(exc)

    @property
    def idle(self) -> bool:
        """Whether no request is under way: it has brought none, or the next one is waited for."""
        return self._current_request is None

    def close(self) -> None:
        self._close_transport()
        self._request_ready.set()  # who waits for the next request sees that there will be none

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

    @classmethod
    def setup(cls) -> None:
        """In gunicorn's first process: where a setting is wrong this ends it, before workers are started in vain."""
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
        importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"])

    def init_process(self) -> None:
        self.connections = set()
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
