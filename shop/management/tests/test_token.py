"""`manage.py token`: what it prints opens the API."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient


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
