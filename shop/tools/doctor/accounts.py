"""Whether an account that may do everything has a password anybody would try first."""

from __future__ import annotations

import time

import psycopg
from django.contrib.auth.hashers import check_password

from shop.tools.doctor.database import connect
from shop.tools.doctor.findings import Findings, Scribe, Unknown
from shop.tools.doctor.installation import Installation

GUESSES = ("admin", "password", "changeme", "shop", "123456")
MOST = 20  # accounts
FOR = 2.5  # s; a guess takes a good part of one, as it should


def check(shop: Installation) -> Findings:
    say, until = Scribe("accounts"), time.monotonic() + FOR
    try:
        with connect(shop.databases["default"]) as connection:
            rows = connection.execute(
                "SELECT username, password FROM auth_user WHERE is_superuser AND is_active ORDER BY id LIMIT %s",
                [MOST],
            ).fetchall()
    except psycopg.Error as error:
        raise Unknown from error  # the database's own check says so
    if not rows:
        yield say.worry(
            "There is nobody who may do everything in the admin.", "Run: python manage.py createsuperuser."
        )
    guesses = [
        (name, kept, guess) for guess in ("", *GUESSES) for name, kept in rows
    ]  # the likeliest of each first
    found: set[str] = set()
    for name, kept, guess in guesses:
        if time.monotonic() < until and name not in found and check_password(guess or name, kept):
            found.add(name)
            yield say.wrong(
                f"The password of {name}, who may do everything, can be guessed.",
                f"Run: python manage.py changepassword {name}",
            )
