"""Serves a provider with gunicorn: one worker process with threads, on loopback."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from shop.sandbox.web import Answer, Handler, Site

Routes = dict[tuple[str, str], Handler]


class Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, build: Callable[[], Routes], port: int, name: str, host: str) -> None:
        self._build, self._port, self._name, self._host = build, port, name, host
        # Only the master holds the writing end: when it dies, even by kill -9, the worker reads its end.
        self._lifeline, self._held_by_master = os.pipe()
        super().__init__()

    def load_config(self) -> None:
        settings = {
            "bind": f"{self._host}:{self._port}",
            "proc_name": f"sandbox {self._name}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": 16,
            "keepalive": 75,  # longer than clients pause: none finds its connection closed under its hands
            "graceful_timeout": 5,
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": lambda _: self._say_ready(),
            "post_fork": lambda _, __: self._end_with_the_master(),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Site:
        """Called in the worker: an SQLite connection must not be carried over a fork."""
        alive = Answer(200, {"status": "ok", "sandbox": self._name})
        return Site({("GET", "/livez"): lambda _: alive, **self._build()})

    def _say_ready(self) -> None:
        sys.stdout.write(f"{self._name} sandbox ready on http://127.0.0.1:{self._port}\n")
        sys.stdout.flush()

    def _end_with_the_master(self) -> None:
        os.close(self._held_by_master)

        def watch() -> None:
            os.read(self._lifeline, 1)
            os._exit(1)

        threading.Thread(target=watch, daemon=True, name="lifeline").start()


def serve(build: Callable[[], Routes], *, port: int, name: str, host: str) -> None:
    Server(build, port, name, host).run()
