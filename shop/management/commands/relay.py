"""``manage.py relay``: sends what the outboxes hold. Run as many as you like."""

from __future__ import annotations

import logging
import signal
from typing import Any

from django.core.management.base import BaseCommand

from shop.base.priority import give_way
from shop.messaging import heartbeat
from shop.messaging.wakeup import run_for_ever

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Send what the outboxes hold to its subscribers, until SIGTERM or Ctrl-C. Any number may run."

    def handle(self, *args: Any, **options: Any) -> None:
        stop: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda signum, frame: stop.append(signum))
        give_way()
        heartbeat.begin("relay")
        run_for_ever(lambda: logger.info("relay ready"), lambda: bool(stop))
