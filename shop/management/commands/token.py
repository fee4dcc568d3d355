"""``manage.py token demo``: an API token for a user, for scripts that have no password at hand."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from knox.models import AuthToken


class Command(BaseCommand):
    help = (
        "Make an API token for a user and print it, this once. It expires as those of POST /api/v1/login/ do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's name, such as demo")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get(username=options["user"], is_active=True)
        except User.DoesNotExist:
            raise CommandError(f"There is no active user {options['user']!r}.") from None
        _row, token = AuthToken.objects.create(user)
        self.stdout.write(str(token))
