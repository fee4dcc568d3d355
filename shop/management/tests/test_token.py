"""`manage.py token`: what it prints opens the API."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from shop.tools.up.ports import free_port


@pytest.mark.django_db
def test_the_token_that_is_printed_opens_the_api_for_that_user() -> None:
    User.objects.create_user("ada")
    call_command("token", "ada", stdout=(printed := StringIO()))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {printed.getvalue().strip()}")
    assert client.get("/api/v1/orders/").status_code == 200
    client.credentials(HTTP_AUTHORIZATION="Token another")
    assert client.get("/api/v1/orders/").status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nobody", "gone"])
def test_there_is_no_token_for_who_may_not_log_in(name: str) -> None:
    User.objects.create_user("gone", is_active=False)
    with pytest.raises(CommandError, match=f"There is no active user '{name}'"):
        call_command("token", name)


@pytest.mark.parametrize("command", [["token", "ada"], ["unlock", "ada"]])
def test_without_a_database_a_command_says_so_in_a_sentence(command: list[str]) -> None:
    nowhere = {**os.environ, "DATABASE_URL": f"postgres://127.0.0.1:{free_port()}/shop"}
    told = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=nowhere,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 1
    assert told.stderr.startswith(f"{command[0]}: the database does not answer: ")
    assert "Is the shop running?" in told.stderr
    assert "Traceback" not in told.stderr
