"""``manage.py up``: the whole shop, from one command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from shop.tools.up.errors import StartError
from shop.tools.up.introducing import Options
from shop.tools.up.run import run
from shop.web.tracing.following import lacking


class Command(BaseCommand):
    help = (
        "Run the whole shop on this computer until Ctrl-C: servers, web, relay, workers, Flower, sandboxes."
    )
    requires_system_checks = ()  # it does not use the database itself; `migrate` checks

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port",
            type=int,
            default=8000,
            help="of the shop; Flower gets the next, the metrics the one after (default: 8000)",
        )
        parser.add_argument(
            "--style",
            choices=settings.STYLES,
            default=settings.FULFILLMENT_STYLE,
            help="how new orders are coordinated (default: %(default)s)",
        )
        parser.add_argument("--no-demo", action="store_true", help="place no demo orders")
        parser.add_argument(
            "--data",
            type=Path,
            default=settings.BASE_DIR / ".data",
            metavar="DIR",
            help="where everything is kept (default: .data in the project)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = Options(
            data=options["data"].expanduser().absolute(),
            port=options["port"],
            style=options["style"],
            styles=settings.STYLES,
            demo=not options["no_demo"],
        )
        try:
            if lack := lacking():
                raise StartError(lack)
            run(wanted)
        except StartError as error:
            self.stderr.write(str(error))
            sys.exit(1)
