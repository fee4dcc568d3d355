"""``manage.py metrics``: answers Prometheus, from what databases and broker tell; and sends traces, if asked to."""

from __future__ import annotations

import logging
import signal
import threading
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.base.priority import give_way
from shop.web.metrics.exporter import serve
from shop.web.tracing.following import follow, lacking

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Answer Prometheus at http://HOST:PORT/metrics, until SIGTERM or Ctrl-C. One is enough."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="(default: %(default)s)")
        parser.add_argument("--port", type=int, default=8002, help="(default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        if not _is_loopback(host) and not settings.METRICS_BASIC_AUTH.partition(":")[2]:
            raise CommandError(
                f"At {host} others could read the metrics: set METRICS_BASIC_AUTH to user:password, "
                "or leave --host at 127.0.0.1."
            )
        if lack := lacking():
            raise CommandError(lack)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda signum, frame: stop.set())
        give_way()
        follow(stop)
        address = f"http://{host}:{port}/metrics"
        try:
            serve(host, port, lambda: logger.info("metrics ready at %s", address), stop)
        except OSError as error:
            raise CommandError(
                f"{address} can't be opened ({error.strerror}): choose another --port."
            ) from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
