"""``manage.py doctor``: what is wrong with an installation, and what to do about it."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from shop.base.terminal import Say, Terminal
from shop.tools.doctor.findings import Level, Report
from shop.tools.doctor.installation import Installation
from shop.tools.doctor.run import WITHIN, examine

COLOUR = {Level.WRONG: "trouble", Level.WORRY: "waiting", Level.FINE: "fine"}


class Command(BaseCommand):
    help = (
        "Look at databases, broker, processes, providers, settings, disks and files of an installation, and say what is "
        "wrong with it and what to do, worst first. Changes nothing, and takes 5 s at the most. "
        "Exit 0: nothing found; 1: something to look at; 2: something is wrong, or could not be asked."
    )
    requires_system_checks = ()  # they are looked at among all else, and are no reason to say nothing

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--within",
            type=float,
            default=WITHIN,
            metavar="SECONDS",
            help="wait at most so long for answers, as on a computer that is busy (default: %(default)g)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        shop = Installation.here()
        report = examine(shop, options["within"])
        if options["json"]:
            self.stdout.write(json.dumps(report.as_object(), indent=2))
        else:
            _tell(report, shop, Terminal(self.stdout, colour=not options["no_color"]).say)
        for stream in (self.stdout, sys.stdout, sys.stderr):
            stream.flush()
        if report.level:
            os._exit(report.level) if report.is_cut else sys.exit(report.level)


def _tell(report: Report, shop: Installation, say: Say) -> None:
    for finding in report.findings:
        say((f"{finding.level.word.upper():<5}", COLOUR[finding.level]), f"  {finding.check}: {finding.what}")
        say("       ", ("→ ", "soft"), finding.do)
    if report.findings:
        say()
    found = {finding.check for finding in report.findings}
    if fine := [name for name in report.checked if name not in {*found, *report.unknown}]:
        say(("fine", "fine"), f"   {', '.join(fine)}")
    if report.unknown:
        say(("?", "waiting"), f"      {', '.join(report.unknown)}: what they need is away")
    wrong = sum(finding.level == Level.WRONG for finding in report.findings)
    worries = len(report.findings) - wrong
    told = f"{wrong} wrong, {worries} to look at" if report.findings else "nothing found"
    say(f"The shop at {shop.public_url}, in {report.seconds:.1f} s: ", (told, COLOUR[report.level]))
