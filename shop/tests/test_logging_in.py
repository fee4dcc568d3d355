"""Logging in to the API: who gets a token, how long it is good, and that nothing else is a way in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.test import APIClient

from shop.base.api.tokens import ApiToken
from shop.base.brakes.rates import Rate
from shop.tests.account import RIGHT, log_in
from shop.tests.documents import fields, problem
from tests.statements import statements

pytestmark = pytest.mark.usefixtures("account")


def use(client: APIClient, token: str) -> Any:
    return client.get("/api/v1/orders/", headers={"Authorization": token})


def test_a_username_and_its_password_are_a_token_that_can_be_made_void(client: APIClient) -> None:
    answer = log_in(client)
    assert (answer.status_code, set(answer.json()), answer["Cache-Control"]) == (
        200,
        {"token", "expiry"},
        "no-store",
    )
    token = f"Token {answer.json()['token']}"
    assert use(client, token).status_code == 200
    assert client.post("/api/v1/logout/", headers={"Authorization": token}).status_code == 204
    problem(use(client, token), 401)
    assert log_in(client).status_code == 200


def test_a_token_is_good_until_it_expires(client: APIClient) -> None:
    answer = log_in(client).json()
    now = timezone.now()
    assert now < datetime.fromisoformat(answer["expiry"]) == AuthToken.objects.get().expiry
    AuthToken.objects.update(expiry=now + timedelta(minutes=1))
    assert use(client, f"Token {answer['token']}").status_code == 200
    AuthToken.objects.update(expiry=now - timedelta(seconds=1))
    problem(use(client, f"Token {answer['token']}"), 401)


def test_an_expired_token_is_told_from_an_unknown_one_until_its_holder_logs_in_again(
    client: APIClient,
) -> None:
    expired, _kept, unused = (log_in(client).json()["token"] for _ in range(3))
    long_ago = timezone.now() - timedelta(seconds=1)
    AuthToken.objects.filter(digest__in=map(hash_token, (expired, unused))).update(expiry=long_ago)
    for _ in range(2):
        told = problem(use(client, f"Token {expired}"), 401)["detail"]
        assert told == "The token has expired: log in again."
    assert "invalid" in problem(use(client, f"Token {'0' * 64}"), 401)["detail"]
    log_in(client)
    assert AuthToken.objects.count() == 2
    assert not AuthToken.objects.filter(digest__in=map(hash_token, (expired, unused))).exists()
    assert "invalid" in problem(use(client, f"Token {expired}"), 401)["detail"]


def test_a_token_and_its_holder_are_found_by_one_statement(client: APIClient) -> None:
    tokens = [log_in(client).json()["token"] for _ in range(3)]
    with statements() as sent:
        user, token = ApiToken().authenticate_credentials(tokens[1].encode())
    assert len(sent) == 1, sent
    assert (token.pk, user) == (hash_token(tokens[1]), User.objects.get())
    assert all(
        getattr(user, field.attname) == getattr(User.objects.get(), field.attname)
        for field in User._meta.concrete_fields
    )


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_a_connection_that_was_lost_is_made_anew(client: APIClient) -> None:
    token = log_in(client).json()["token"]
    backend = connection.connection.info.backend_pid
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [backend])
    user, _ = ApiToken().authenticate_credentials(token.encode())
    assert user.username == RIGHT["username"]
    assert connection.connection.info.backend_pid != backend


@pytest.mark.parametrize("place", [0, 32, -1])
def test_a_token_with_one_character_changed_is_refused(client: APIClient, place: int) -> None:
    token = log_in(client).json()["token"]
    changed = list(token)
    changed[place] = "1" if changed[place] == "0" else "0"
    problem(use(client, f"Token {''.join(changed)}"), 401)
    assert use(client, f"Token {token}").status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"username": "eve"}, {"password": "guess"}, {"password": "pass word"}, {"username": "ADA"}]
)
def test_a_failed_login_does_not_say_which_part_was_wrong(client: APIClient, wrong: dict[str, str]) -> None:
    answer = log_in(client, RIGHT | wrong)
    assert problem(answer, 401)["detail"] == "Username and password don't go together."
    assert answer["WWW-Authenticate"] == "Token"
    assert not AuthToken.objects.exists()


def test_somebody_who_was_locked_out_cannot_log_in_nor_use_a_token(client: APIClient) -> None:
    token = log_in(client).json()["token"]
    User.objects.update(is_active=False)
    problem(log_in(client), 401)
    problem(use(client, f"Token {token}"), 401)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["username", "password"]),
        ([], ["body"]),
        (RIGHT | {"username": "a\0"}, ["username"]),
        (RIGHT | {"username": {"$ne": ""}}, ["username"]),
        (RIGHT | {"password": "\ud800"}, ["password"]),
        (RIGHT | {"otp": 1}, ["otp"]),
    ],
)
def test_a_malformed_login_names_its_fields(client: APIClient, body: object, named: list[str]) -> None:
    assert fields(log_in(client, body)) == named


def test_attempts_to_log_in_are_limited_whatever_the_client_says_of_its_address(
    client: APIClient, settings: Any
) -> None:
    settings.RATES = {**settings.RATES, "logins": Rate(2, 60)}
    for _ in range(2):
        problem(log_in(client, RIGHT | {"password": "guess"}, REMOTE_ADDR="192.0.2.1"), 401)
    answer = log_in(client, REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": "10.0.0.1"})
    problem(answer, 429)
    assert 0 < int(answer["Retry-After"]) <= 60
    assert log_in(client, REMOTE_ADDR="192.0.2.2").status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Token",
        "Token a b",
        "Token nonsense",
        "Token \x80\xff",
        "Token a\x01",
        "Token " + "a" * 5000,
        "Basic YTpi",
    ],
    ids=lambda header: repr(header[:12]),
)
def test_without_a_good_token_there_is_no_way_in(client: APIClient, header: str) -> None:
    answer = use(client, header)
    problem(answer, 401)
    assert answer["WWW-Authenticate"] == "Token"
