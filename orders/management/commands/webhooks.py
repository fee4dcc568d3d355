"""``manage.py webhooks``: tells customers' own servers of their orders' changes. Run as many as you like."""

from __future__ import annotations

import logging
import signal
from typing import Any

from django.core.management.base import BaseCommand

from orders.webhooks.sender import Sender
from shop.base.priority import give_way
from shop.messaging import heartbeat

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Send customers' webhooks, until SIGTERM or Ctrl-C. Any number may run."

    def handle(self, *args: Any, **options: Any) -> None:
        stop: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda signum, frame: stop.append(signum))
        give_way()
        heartbeat.begin("webhooks")
        said: list[bool] = []

        def ready() -> None:
            if not said:
                logger.info("webhooks ready")
                said.append(True)

        Sender(lambda: bool(stop)).run(ready)
