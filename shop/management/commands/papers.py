"""``manage.py papers``: what is to be known of the settings and of what is installed, made anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.tools.papers.files import PAPERS, stale, write


class Command(BaseCommand):
    help = f"Write what is made of the settings and of what is installed: {', '.join(PAPERS)}."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit 1 if a file is out of date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            if names := [*stale()]:
                raise CommandError(f"Out of date: {', '.join(names)}. Run: python manage.py papers")
            self.stdout.write("The papers are as they should be.")
            return
        names = write()
        self.stdout.write(f"Written: {', '.join(names)}." if names else "Nothing has changed.")
