"""``manage.py customer export demo``, ``manage.py customer erase --email ada@example.com --yes``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from shop.base.terminal import Terminal
from shop.tools.customers.erase import erase
from shop.tools.customers.export import export
from shop.tools.customers.outside import held_outside
from shop.tools.customers.whom import Customer, Nobody, find

SHOWN = 10  # references, orders


class Command(BaseCommand):
    help = (
        "Export all that the shop holds of a customer, as JSON; or erase it: names, addresses, mails, payment tokens, "
        "tracking numbers, staff's notes and the account go, numbers, sums and stock stay, and the audit still balances. "
        "Without --yes it only says what would go. Orders on their way stay until they are at their end. "
        "Exit 0: done; 1: something stays, run it again later."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("export", "erase"))
        parser.add_argument("user", nargs="?", default="", help="the customer's user name")
        parser.add_argument(
            "--email", default="", help="or a mail address: of accounts, and of guests' orders"
        )
        parser.add_argument("--order", default="", metavar="NUMBER", help="or the number of a guest's order")
        parser.add_argument("--yes", action="store_true", help="erase it now")

    def handle(self, *args: Any, **options: Any) -> None:
        by = {name: options[name].strip() for name in ("user", "email", "order")}
        if sum(map(bool, by.values())) != 1:
            raise CommandError("Say who is meant: a user's name, or --email, or --order; one of them.")
        try:
            customer = find(**by)
        except Nobody as error:
            raise CommandError(str(error)) from None
        if options["what"] == "export":
            text = json.dumps(export(customer), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
            self.stdout.write(text)
            return
        terminal = Terminal(self.stdout, colour=not options["no_color"])
        self._erase(customer, terminal, now=options["yes"])

    def _erase(self, customer: Customer, terminal: Terminal, *, now: bool) -> None:
        outside = held_outside([order.uuid for order in customer.to_forget])
        stay = customer.on_their_way
        what = f"{_counted(customer.to_forget, 'order')} and {_counted(customer.to_close, 'account')}"
        if now:
            erase(customer)
        did = "Erased" if now else "Would erase"
        terminal.say((did, "fine" if now else "plain"), f" what is known of the customer of {what}.")
        for who, references in outside.items():
            if references:
                named = (
                    ", ".join(references) if now else _some(references)
                )  # once erased, nobody here knows them
                terminal.say(f"{who[:1].upper()}{who[1:]} has its own records; ask there, by: {named}.")
        if stay:
            terminal.say(
                ("Stays", "waiting"),
                f" as long as they are on their way: {_some([order.number for order in stay])}"
                f"{', and the account' if customer.accounts else ''}. Run it again when they are at their end.",
            )
        if not now:
            terminal.say("Nothing was changed: say --yes to erase it.")
        if stay:
            sys.exit(1)


def _counted(rows: Sequence[object], what: str) -> str:
    return f"{len(rows) or 'no'} {what}{'' if len(rows) == 1 else 's'}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
