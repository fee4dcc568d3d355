"""``manage.py worker SERVICE``: handles a service's messages. Run as many as you like, each under a name of its own."""

from __future__ import annotations

import logging
import sys
from typing import Any

from celery import current_app
from celery.utils.nodenames import host_format
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from shop.messaging import heartbeat


class Command(BaseCommand):
    """Celery's worker without its command line, which imports Flower and a shell: 14 MB and 0.2 s in each worker."""

    help = "Handle a service's messages, one at a time, until SIGTERM or Ctrl-C. Any number may run."
    requires_system_checks = ()  # Celery runs them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("service", choices=settings.SERVICES)
        parser.add_argument("--name", help="of this one among the service's workers (default: the service's)")

    def handle(self, *args: Any, **options: Any) -> None:
        service = options["service"]
        logging.captureWarnings(True)  # Celery has one for root; a log has lines, and no other text
        heartbeat.begin(f"worker-{options['name'] or service}")
        worker = current_app.Worker(
            hostname=host_format(f"{options['name'] or service}@%h"),
            queues=[service],
            pool_cls="solo",
            concurrency=1,
            task_events=True,  # for Flower
            without_gossip=True,
            without_mingle=True,
            loglevel=logging.INFO,
            quiet=True,  # a banner is no line of a log
        )
        worker.start()
        sys.exit(worker.exitcode)
