"""The address at which Prometheus asks. What it is told was found out a moment ago, whoever asks and however often."""

from __future__ import annotations

import base64
import hmac
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from django.db import connections
from prometheus_client import CollectorRegistry, Metric, make_wsgi_app
from prometheus_client.registry import Collector

from shop.web.metrics import families, standing
from shop.web.metrics.events import Events

EVERY = 5.0  # s from the end of a look to the next
SHARE = 0.1  # of a database's connection that is used at the most: a look that took 2 s is repeated after 20
DAWDLES = 5.0  # s; who asks so slowly is not answered

logger = logging.getLogger(__name__)


class Shop(Collector):
    """The last look's findings, as Prometheus reads them."""

    def __init__(self) -> None:
        self._events = Events(settings.STYLES)
        self._found: list[Metric] = []

    def look(self) -> float:
        """Find out. Returns how long it took."""
        began = time.monotonic()
        standing.asked(self._events.look, None)
        found = [
            families.build(), *families.of_events(self._events), *families.of_standing(standing.look())
        ]  # fmt: skip
        took = time.monotonic() - began
        self._found = [*found, *families.of_looking(took, time.time())]
        return took

    def collect(self) -> Iterator[Metric]:
        yield from self._found


def serve(host: str, port: int, ready: Callable[[], None], stop: threading.Event) -> None:
    """Look and answer until ``stop``."""
    shop, registry = Shop(), CollectorRegistry(auto_describe=False)
    shop.look()
    registry.register(shop)
    server = listen(registry, host, port)
    ready()
    pause = EVERY
    while not stop.wait(pause):
        try:
            pause = max(EVERY, shop.look() / SHARE)
        except Exception:  # whatever it is, Prometheus sees that no look succeeds any more
            logger.exception("What the metrics tell is not renewed.")
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
    server.shutdown()
    server.server_close()


class _Handler(WSGIRequestHandler):
    timeout = DAWDLES

    def log_message(self, format: str, *args: Any) -> None:
        """That Prometheus asks is no news."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def listen(registry: CollectorRegistry, host: str, port: int) -> WSGIServer:
    """A thread answers from now on: /metrics, to who knows the password if there is one; and /livez."""
    metrics, secret = make_wsgi_app(registry), settings.METRICS_BASIC_AUTH

    def answer(asked: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if asked["PATH_INFO"] == "/livez":
            start("200 OK", [("Content-Type", "text/plain")])
            return [b"ok\n"]
        if asked["PATH_INFO"] != "/metrics":
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"The metrics are at /metrics.\n"]
        if secret and not _knows(secret, asked.get("HTTP_AUTHORIZATION", "")):
            realm = ("WWW-Authenticate", 'Basic realm="metrics"')
            start("401 Unauthorized", [("Content-Type", "text/plain"), realm])
            return [b"The metrics need a user and a password: METRICS_BASIC_AUTH.\n"]
        answered: Iterable[bytes] = metrics(asked, start)
        return answered

    server = make_server(host, port, answer, _Server, _Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def _knows(secret: str, header: str) -> bool:
    expected = b"Basic " + base64.b64encode(secret.encode())
    return hmac.compare_digest(header.encode("latin-1", "replace"), expected)
