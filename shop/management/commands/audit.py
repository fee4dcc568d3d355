"""``manage.py audit``: whether the promises hold, over all services and both providers' ledgers."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from orders.models import Order
from shop.base.terminal import Say, Terminal
from shop.messaging.outcomes import Fault
from shop.tools.audit.findings import Report
from shop.tools.audit.run import audit


class Command(BaseCommand):
    help = (
        "Check that stock is conserved, money matches, every order is at an end, has a deadline ahead or is parked, "
        "parcels and mails are right, and all services agree. Reads only; may run while the shop does. "
        "Exit 0: all promises hold, even if orders are parked, which it tells; 1: one does not, or the audit could "
        "not be done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--newest", type=int, metavar="N", help="check only the latest N orders, and the stock"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        as_json: bool = options["json"]
        colour = not options["no_color"]
        shown = Terminal(self.stderr if as_json else self.stdout, colour=colour)
        try:
            report = self._audited(shown, options["newest"], lines=not as_json)
        except (Fault, DatabaseError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            sentence = f"The audit could not be done: {reason}."
            if as_json:
                self.stdout.write(json.dumps({"ok": False, "error": sentence}))
            raise CommandError(sentence) from None
        if as_json:
            self.stdout.write(_as_json(report))
        else:
            _tell(report, shown.say)
        if not report.ok:
            sys.exit(1)

    def _audited(self, shown: Terminal, newest: int | None, *, lines: bool) -> Report:
        orders = Order.objects.count()
        with shown.bars(lines=lines) as bars:
            bar = bars.add("orders checked", orders if newest is None else min(orders, newest))

            def progress(report: Report) -> None:
                found = len(report.violations)
                bar.show(report.orders, f"{found:,} wrong" if found else "")

            return audit(newest, progress)


def _tell(report: Report, say: Say) -> None:
    for sentence in report.parked:
        say((sentence, "waiting"))
    for violation in report.violations:
        say((violation.sentence, "trouble"))
    if report.parked or report.violations:
        say()
    for promise, checked in report.checked.items():
        found = sum(violation.promise == promise for violation in report.violations)
        looked_at = ", ".join(f"{count:,} {what}" for what, count in checked.items()) or "nothing to check"
        verdict = "LEFT OUT" if promise in report.left_out else f"{found:,} WRONG" if found else "ok"
        level = "waiting" if promise in report.left_out else "trouble" if found else "fine"
        say(f"{promise:<10} ", (f"{verdict:<10}", level), f" {report.left_out.get(promise, looked_at)}")
    say()
    if report.parked:
        say(
            "parked:    ",
            (f"{len(report.parked):,}", "waiting"),
            ", see the control room, /admin/, or `explain` one",
        )
    wrong = len(report.violations)
    say(
        f"{report.orders:,} orders, {report.in_flight:,} in flight, ",
        (f"{wrong:,} violations", "fine" if report.ok else "trouble"),
    )


def _as_json(report: Report) -> str:
    return json.dumps(
        {
            "ok": report.ok,
            "orders": report.orders,
            "in_flight": report.in_flight,
            "checked": {promise: dict(checked) for promise, checked in report.checked.items()},
            "left_out": report.left_out,
            "parked": report.parked,
            "violations": [{"promise": v.promise, "sentence": v.sentence} for v in report.violations],
        },
        indent=2,
    )
