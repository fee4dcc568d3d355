"""``manage.py import_orders``: real invoices become orders, through the same door as the API."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from shop.base.terminal import Bars, Terminal
from shop.tools.invoices import catalogue
from shop.tools.invoices.placing import Placing, importing_user
from shop.tools.invoices.reading import FileError
from shop.tools.invoices.summary import as_object, level_of, summary
from shop.tools.invoices.survey import Survey, cleaned, survey
from shop.tools.invoices.tally import Tally
from shop.tools.invoices.waiting import ends_of, wait

MOST_STOCK = 1_000_000
LONGEST_WAIT = 86_400.0  # s
LONGEST_NUMBER = 19  # digits of an option
INTERRUPTED = 130  # what a shell says of a command ended by Ctrl-C


class Command(BaseCommand):
    help = (
        "Place the invoices of CSV files as orders and wait until they have ended. Safe to run again: in the same "
        "style an invoice is one order for ever. In the other style the same files make new orders. "
        "Exit 0: all have ended; 1: some have not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", nargs="+", type=Path, metavar="FILE", help="CSV, as in the Online Retail data"
        )
        parser.add_argument(
            "--style",
            choices=settings.STYLES,
            default=settings.FULFILLMENT_STYLE,
            help="how the orders are coordinated (default: %(default)s)",
        )
        parser.add_argument("--limit", metavar="N", help="place at most so many orders")
        parser.add_argument(
            "--stock",
            default="auto",
            metavar="auto|N",
            help="auto: take in what the orders need (default); N: so many of each product in each warehouse",
        )
        parser.add_argument(
            "--timeout",
            default="600",
            metavar="SECONDS",
            help="wait at most so long for the orders (default: 600)",
        )
        parser.add_argument("--no-wait", action="store_true", help="place the orders and leave")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        limit = _whole("--limit", options["limit"], 1, sys.maxsize) if options["limit"] is not None else None
        stock = _whole("--stock", options["stock"], 0, MOST_STOCK) if options["stock"] != "auto" else None
        timeout = _seconds(options["timeout"])
        begun = time.monotonic()
        tally = Tally()
        as_json: bool = options["json"]
        shown = Terminal(self.stderr if as_json else self.stdout, colour=not options["no_color"])
        interrupted = False
        try:
            try:
                with shown.bars(lines=not as_json) as bars:
                    self._import(options["files"], options["style"], limit, stock, tally, bars)
                    if not options["no_wait"]:
                        self._wait(tally.orders, timeout, bars)
            except KeyboardInterrupt:
                interrupted = True
            ends = ends_of(tally)
        except FileError as error:
            raise CommandError(f"{error} {_so_far(tally)}") from None
        except DatabaseError as error:
            raise CommandError(_database_trouble(error, tally)) from None
        seconds = time.monotonic() - begun
        if as_json:
            self.stdout.write(json.dumps(as_object(tally, ends, options["style"], seconds), indent=2))
        else:
            if shown.live:
                shown.say()
            for line in summary(tally, ends, options["style"], seconds):
                shown.say((line, level_of(line, ends)))
        if interrupted:
            self.stderr.write(
                "Interrupted. What is placed goes on by itself; run the same command to place the rest."
            )
            sys.exit(INTERRUPTED)
        if not ends.all_ended and not options["no_wait"]:
            open_orders = ends.unfinished + ends.parked
            raise CommandError(f"{open_orders:,} of {len(tally.orders):,} orders are not at an end.")

    def _import(
        self,
        files: list[Path],
        style: str,
        limit: int | None,
        stock: int | None,
        tally: Tally,
        bars: Bars,
    ) -> None:
        user = importing_user()
        found = survey(files, user.pk, style, limit)
        self._stock_up(found, stock, style, bars)
        bar = bars.add("orders placed", found.orders)

        def show(tally: Tally) -> None:
            refused = sum(tally.not_placed.values())
            note = f"{tally.lines:,} lines read" + (f", {refused:,} invoices not placed" if refused else "")
            bar.show(len(tally.placed) + len(tally.again), note)

        Placing(user.pk, style, tally).take_all(cleaned(files, limit), show)

    def _wait(self, orders: list[int], timeout: float, bars: Bars) -> None:
        bar = bars.add("orders ended", len(orders))
        wait(orders, timeout, lambda left: bar.show(len(orders) - left))

    def _stock_up(self, found: Survey, stock: int | None, style: str, bars: Bars) -> None:
        new = catalogue.make_catalogue(found)
        if stock is None:
            units = catalogue.receive_what_is_needed(found, style)
        else:
            units = catalogue.receive_up_to(stock, found, style)
        if bars.lines:
            bars.terminal.say(
                f"{len(found.prices):,} products, {new:,} of them new; {units:,} units received."
            )


def _whole(option: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER and least <= int(text) <= most):
        kinds = f"a whole number from {least}" + (f" to {most:,}" if most < sys.maxsize else "")
        raise CommandError(
            f"{option} must be {'auto or ' if option == '--stock' else ''}{kinds}; it is {text[:40]!r}."
        )
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text) if text.isascii() else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise CommandError(f"--timeout must be seconds from 0 to {LONGEST_WAIT:,.0f}; it is {text[:40]!r}.")
    return seconds


def _database_trouble(error: DatabaseError, tally: Tally) -> str:
    first_line = str(error).partition("\n")[0]
    return f"The database gave an error ({first_line}). {_so_far(tally)} Is it up, and is it migrated?"


def _so_far(tally: Tally) -> str:
    """All files are read before the first order is placed: some are only if a file was changed since, or was lost."""
    if not tally.placed:
        return "Nothing was placed."
    return f"{len(tally.placed):,} orders were placed before; the same command places the rest."
