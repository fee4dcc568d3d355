"""``manage.py events``: the catalogue of events and commands, made anew from the code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.tools.catalogue.files import FILES, stale, write


class Command(BaseCommand):
    help = f"Write the catalogue of events and commands, as the code says it: {', '.join(FILES)}."
    requires_system_checks = ()  # it reads the code alone

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit 1 if a file is out of date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            if names := stale():
                raise CommandError(f"Out of date: {', '.join(names)}. Run: python manage.py events")
            self.stdout.write("The catalogue is as the code says.")
            return
        names = write()
        self.stdout.write(f"Written: {', '.join(names)}." if names else "Nothing has changed.")
