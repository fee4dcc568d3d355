"""Customers' accounts: what a guest bought stays theirs, and no login leads elsewhere."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from shop.base.brakes.rates import Rate
from shop.web.store.tests.buying import bought, post, put, text_of

SECRET = uuid4().hex


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.com", SECRET)


def log_in(client: Client, password: str = SECRET, **more: str) -> Any:
    return client.post("/account/login/", {"username": "ada", "password": password, **more})


def test_who_logs_in_has_their_orders_and_those_of_this_browser(ada: User, guest: Client) -> None:
    as_guest = bought(guest)
    put(guest)
    assert log_in(guest).url == "/orders/"
    own = bought(guest)
    assert own.customer_id == ada.pk
    page = text_of(guest.get("/orders/"))
    assert own.number in page
    assert as_guest.number in page
    assert post(guest, "/account/logout/").url == "/"
    assert text_of(guest.get("/orders/")).count("S-1") == 0
    assert guest.get(f"/orders/{as_guest.uuid}/").status_code == 404


def test_a_guest_who_joins_keeps_the_orders_wherever_they_log_in(guest: Client) -> None:
    order = bought(guest)
    form = {"username": "ada", "password1": SECRET, "password2": SECRET}
    assert post(guest, "/account/join/", form).url == "/orders/"
    assert User.objects.get().username == "ada"
    elsewhere = Client()
    log_in(elsewhere)
    assert order.number in text_of(elsewhere.get("/orders/"))
    assert bought(guest).customer_id == order.customer_id


def test_wrong_names_and_passwords_are_told(ada: User, guest: Client) -> None:
    answer = log_in(guest, "wrong")
    assert "Name and password don&#x27;t go together." in text_of(answer)
    form = {"username": "ada", "password1": "1", "password2": "2"}
    assert guest.post("/account/join/", form).status_code == 422


def test_attempts_are_counted(ada: User, guest: Client, settings: Any) -> None:
    settings.RATES = {**settings.RATES, "logins": Rate(2, 60)}
    for _ in range(2):
        log_in(guest, "wrong")
    answer = log_in(guest)
    assert answer.status_code == 429
    assert f"wait {answer['Retry-After']} s" in text_of(answer)


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_logging_in_leads_nowhere_else(ada: User, guest: Client, next: str) -> None:
    assert log_in(guest, next=next).url == "/orders/"


def test_checkout_is_where_one_was(ada: User, guest: Client) -> None:
    put(guest)
    assert log_in(guest, next="/checkout/").url == "/checkout/"
    assert 'value="ada@example.com"' in guest.get("/checkout/").content.decode()
