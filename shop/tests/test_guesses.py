"""Guessing passwords at all three doors: the admin's, the store's, the API's. They share one brake."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from shop.base.brakes import buckets
from shop.base.brakes.rates import Rate
from shop.tests.account import RIGHT, log_in
from shop.web.guesses import wait_of

pytestmark = pytest.mark.usefixtures("account")

Door = Callable[..., Any]
WRONG = {"password": "a guess"}
MOST = 10  # as settings.RATES has it


def at_a_form(address: str) -> Door:
    def enter(username: str = "ada", password: str = RIGHT["password"], **extra: Any) -> Any:
        form = {"username": username, "password": password}
        return Client().post(address, form, **{"REMOTE_ADDR": "192.0.2.1", **extra})

    return enter


def at_the_api(username: str = "ada", password: str = RIGHT["password"], **extra: Any) -> Any:
    return log_in(
        APIClient(), {"username": username, "password": password}, **{"REMOTE_ADDR": "192.0.2.1", **extra}
    )


DOORS = {"admin": at_a_form("/admin/login/"), "store": at_a_form("/account/login/"), "api": at_the_api}
IN = (200, 302)


@pytest.fixture(params=DOORS)
def enter(request: Any, account: User) -> Door:
    account.is_staff = True
    account.save()
    return DOORS[request.param]


def is_in(answer: Any) -> bool:
    return answer.status_code == 302 or (answer.status_code == 200 and "token" in answer.content.decode()[:9])


def test_after_ten_wrong_passwords_the_right_one_is_refused_too_from_there(enter: Door) -> None:
    for _ in range(MOST):
        assert enter(**WRONG).status_code in (200, 401)
    answer = enter()
    assert answer.status_code == 429
    assert 80 < int(answer["Retry-After"]) <= 90
    assert f"wait {answer['Retry-After']} s, then try again" in answer.content.decode()
    assert is_in(enter(REMOTE_ADDR="192.0.2.2")), "from elsewhere its owner gets in"
    assert [door(REMOTE_ADDR="192.0.2.1").status_code for door in DOORS.values()] == [429, 429, 429]


def test_an_account_that_does_not_exist_is_braked_just_so() -> None:
    answers = [at_the_api("nobody", **WRONG) for _ in range(MOST + 1)]
    assert [answer.status_code for answer in answers].count(429) == 1
    assert answers[-1].status_code == 429


def test_the_right_password_in_time_forgives_the_wrong_ones(enter: Door) -> None:
    for _ in range(2):
        for _ in range(MOST - 1):
            enter(**WRONG)
        assert is_in(enter())


def test_whatever_the_client_says_of_its_address_or_of_the_case_of_the_name() -> None:
    for number in range(MOST):
        at_the_api("ADA" if number % 2 else "ada", headers={"X-Forwarded-For": f"10.0.0.{number}"}, **WRONG)
    assert at_the_api(headers={"X-Forwarded-For": "10.0.0.99"}).status_code == 429


def test_behind_a_proxy_of_ours_the_address_is_what_that_proxy_says(settings: Any) -> None:
    settings.NUM_PROXIES = 1
    for number in range(MOST):
        at_the_api(headers={"X-Forwarded-For": f"10.0.0.{number}, 198.51.100.7"}, **WRONG)
    assert at_the_api(headers={"X-Forwarded-For": "198.51.100.7"}).status_code == 429
    assert is_in(at_the_api(headers={"X-Forwarded-For": "198.51.100.7, 198.51.100.8"}))


def test_an_ipv6_network_is_one_address() -> None:
    for number in range(MOST):
        at_the_api(REMOTE_ADDR=f"2001:db8:1:1::{number}", **WRONG)
    assert at_the_api(REMOTE_ADDR="2001:db8:1:1:ffff::1").status_code == 429
    assert is_in(at_the_api(REMOTE_ADDR="2001:db8:1:2::1"))


def test_from_many_addresses_an_account_is_braked_but_not_for_its_owner(settings: Any) -> None:
    settings.RATES = {**settings.RATES, "account": Rate(20, 3600)}
    assert is_in(at_the_api(REMOTE_ADDR="203.0.113.9"))
    for number in range(25):
        last = at_the_api(REMOTE_ADDR=f"192.0.2.{number}", **WRONG)
    assert last.status_code == 429
    assert at_the_api(REMOTE_ADDR="198.51.100.1").status_code == 429, "nor from where it was never logged in"
    assert is_in(at_the_api(REMOTE_ADDR="203.0.113.9")), "its owner is where he always is"


def test_an_address_that_tries_many_names_is_braked(settings: Any) -> None:
    settings.RATES = {**settings.RATES, "logins": Rate(30, 3600)}
    statuses = [at_the_api(f"user-{number}", **WRONG).status_code for number in range(31)]
    assert statuses.index(429) == 30


def test_guesses_sent_at_the_same_moment_are_no_way_round(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.RATES = {**settings.RATES, "logins": None}
    hashed = []
    monkeypatch.setattr(ModelBackend, "authenticate", lambda *args, **more: hashed.append(1))
    monkeypatch.setattr("shop.web.guesses.note_failure.__code__", (lambda *a, **m: None).__code__)

    def guess(number: int) -> int:
        request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.1")
        authenticate(request, username="ada", password=str(number))
        return wait_of(request)

    with ThreadPoolExecutor(16) as many:
        waits = list(many.map(guess, range(60)))
    assert len(hashed) == MOST
    assert sum(wait == 0 for wait in waits) == MOST


def test_while_redis_is_away_nobody_is_locked_out_and_guesses_are_still_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buckets, "_away", {"until": float("inf")})
    buckets.here.__init__()  # type: ignore[misc]
    assert is_in(at_the_api())
    for _ in range(MOST):
        at_the_api(**WRONG)
    assert at_the_api().status_code == 429
    assert is_in(at_the_api(REMOTE_ADDR="192.0.2.2"))


def test_the_log_has_ids_and_never_what_was_typed(enter: Door, caplog: Any, account: User) -> None:
    with caplog.at_level(logging.INFO, logger="shop.web.guesses"):
        for _ in range(MOST + 1):
            enter(**WRONG)
        enter("my secret typed into the wrong field", **WRONG)
    lines = [record.getMessage() for record in caplog.records if record.name == "shop.web.guesses"]
    assert lines[0] == f"A wrong password for user {account.pk} from 192.0.2.1."
    assert f"Guessing at user {account.pk} from 192.0.2.1 is braked for 900 s." in lines
    assert lines[-1] == "A wrong password for an account there is not from 192.0.2.1."
    assert len(lines) == MOST + 2, "one line an attempt, one for the brake, none for what it stops"
    assert not [line for line in lines if "secret" in line or "ada" in line or "guess" in line]


def test_staff_see_who_is_locked_and_unlock(account: User, capsys: Any) -> None:
    for _ in range(MOST):
        at_the_api(**WRONG)
    call_command("unlock")
    assert re.fullmatch(r"ada, from 192\.0\.2\.1: until \d\d:\d\d:\d\d UTC\n", capsys.readouterr().out)
    call_command("unlock", "ada")
    assert capsys.readouterr().out == "ada was locked, and may log in again.\n"
    assert is_in(at_the_api())
    capsys.readouterr()
    call_command("unlock")
    assert capsys.readouterr().out == "No account is locked.\n"


def test_it_is_done_in_the_list_of_users(account: User) -> None:
    for _ in range(MOST):
        at_the_api(**WRONG)
    staff = Client()
    staff.force_login(User.objects.create_superuser("root"))
    page = staff.get("/admin/auth/user/").content.decode()
    assert "The account ada is locked: wrong passwords from 192.0.2.1" in page
    done = {"action": "unlock", "_selected_action": account.pk}
    assert (
        "The account ada may be logged in to again."
        in staff.post("/admin/auth/user/", done, follow=True).content.decode()
    )
    assert is_in(at_the_api())
    assert "is locked" not in staff.get("/admin/auth/user/").content.decode()
