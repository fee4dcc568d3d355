"""``manage.py unlock ada``: whoever was locked out by wrong passwords may try again; without a name: who is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.web.guesses import locked, unlock


class Command(BaseCommand):
    help = "Let an account be logged in to again that wrong passwords have locked. Without a name: list those there are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", nargs="?", help="the user's name, such as demo")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["user"]:
            return self._list()
        try:
            user = User.objects.get(username=options["user"])
        except User.DoesNotExist:
            raise CommandError(f"There is no user {options['user']!r}.") from None
        places = unlock(user)
        self.stdout.write(
            f"{user} was locked, and may log in again." if places else f"{user} was not locked."
        )
        return None

    def _list(self) -> None:
        found = locked()
        names = dict(User.objects.filter(pk__in={one.user for one in found}).values_list("pk", "username"))
        for one in found:
            until = datetime.fromtimestamp(one.until, UTC)
            self.stdout.write(
                f"{names.get(one.user, one.user)}, from {one.address}: until {until:%H:%M:%S} UTC"
            )
        if not found:
            self.stdout.write("No account is locked.")
