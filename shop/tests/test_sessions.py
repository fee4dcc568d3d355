"""Who is logged in, for how long, and that nothing but a form of ours can be pressed in their name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from knox.models import AuthToken

from shop.tests.account import RIGHT
from shop.tests.addresses import addresses

NAME = "sessionid"
OTHERS = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
)

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.urls("shop.tests.addresses")]


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


def log_in(client: Client, where: str, **more: str) -> Any:
    return client.post(where, {**RIGHT, **more})


@pytest.mark.parametrize("staff", [False, True])
def test_a_session_is_another_after_logging_in_and_none_after_logging_out(staff: bool) -> None:
    User.objects.create_user(**RIGHT, is_staff=staff)
    login, out, own = (
        ("/admin/login/", "/admin/logout/", "/admin/")
        if staff
        else ("/account/login/", "/account/logout/", "/orders/")
    )
    client, thief = Client(), Client()
    client.post("/basket/add/", {"sku": "MUG", "quantity": "1"})
    client.get("/checkout/")
    session: Any = client.session
    session["guest"] = "guest-of-before"
    session.save()
    client.cookies[NAME] = session.session_key
    given = client.cookies[NAME].value  # what somebody else may have put there
    assert log_in(client, login).status_code == 302
    cookie = client.cookies[NAME]
    assert cookie.value != given
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    longest = timedelta(hours=12) if staff else timedelta(days=14)
    assert cookie["max-age"] == longest.total_seconds()
    thief.cookies[NAME] = given
    assert "_auth_user_id" not in thief.session
    stolen = cookie.value
    assert client.post(out).status_code in (200, 302)
    thief.cookies[NAME] = stolen
    assert "_auth_user_id" not in thief.session
    assert thief.get(own).status_code == (302 if staff else 200)


def test_a_new_password_ends_sessions_and_tokens_that_came_of_the_old_one() -> None:
    user = User.objects.create_user(**RIGHT)
    client, elsewhere = Client(), Client()
    for one in (client, elsewhere):
        log_in(one, "/account/login/")
        assert "_auth_user_id" in one.session
    AuthToken.objects.create(user)
    other, _ = AuthToken.objects.create(User.objects.create_user("other"))
    user.refresh_from_db()
    user.set_password("another password")
    user.save()
    assert "Log in" in elsewhere.get("/").content.decode()
    assert list(AuthToken.objects.all()) == [other]


def test_logging_in_to_the_api_begins_no_session() -> None:
    User.objects.create_user(**RIGHT, is_staff=True)
    client = Client()
    assert client.post("/api/v1/login/", RIGHT, content_type="application/json").status_code == 200
    assert NAME not in client.cookies


@pytest.mark.parametrize(
    "password", ["shorter-9", "password1234", "12345678901", "grace-hopper"], ids=lambda password: password
)
def test_a_password_that_is_easily_guessed_is_not_taken(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, User(username="gracehopper"))
    validate_password("a walk by the sea", User(username="gracehopper"))


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Said shortly, as it is said two hundred times."""
    return HttpResponse(status=403)


def test_what_is_pressed_without_a_form_of_ours_is_refused(settings: Any) -> None:
    """At every address, whoever is logged in. The API takes no cookie for a name: there is nothing to forge."""
    settings.CSRF_FAILURE_VIEW = f"{__name__}.forged"
    client = Client(enforce_csrf_checks=True)
    user = User.objects.create_superuser("ada")
    client.force_login(user)
    for address in addresses():
        if "(" in address.route:
            continue
        where = address.filled({name: _any(address.route) for name in address.parameters})
        answer = client.post(where, headers={"Origin": "https://evil.example"})
        expected = (400, 401, 404, 405, 415, 429) if where.startswith("/api/") else (403, 405)
        assert answer.status_code in expected, where
    assert client.get("/api/v1/orders/").status_code == 401


def _any(route: str) -> str:
    return "6f1f2b0a-7d56-4c7e-9d42-0d9a2f1b9c11" if "uuid" in route else "1"


@pytest.mark.parametrize("where", ["/account/login/", "/account/logout/", "/admin/login/", "/admin/logout/"])
def test_nobody_is_sent_elsewhere(where: str) -> None:
    User.objects.create_user(**RIGHT, is_staff=True)
    for other in OTHERS:
        client = Client()
        if "logout" in where:
            log_in(client, "/account/login/")
        answer = log_in(client, where, next=other)
        assert "evil" not in answer.headers.get("Location", "")
        assert "javascript" not in answer.headers.get("Location", "")
        assert answer.status_code in (200, 302)
    assert log_in(Client(), "/account/login/", next="/basket/").headers["Location"] == "/basket/"


@pytest.mark.parametrize(
    "path", ["//evil.example", "//evil.example/..", "/\\evil.example/orders", "/admin//evil.example"]
)
def test_a_slash_that_is_missing_leads_to_no_other_host(path: str) -> None:
    answer = Client().get("/", PATH_INFO=path)
    sent_on = answer.headers.get("Location", "/")
    assert sent_on.startswith("/"), sent_on
    assert not sent_on.startswith(("//", "/\\")), sent_on


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "127.0.0.1:8000:9"]
)
def test_no_other_host_is_taken_for_ours(host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    for where in ("/", "/account/login/", "/admin/login/", "/api/v1/orders/", "/checkout"):
        answer = Client().get(where, headers={"Host": host, "X-Forwarded-Host": "127.0.0.1"})
        assert answer.status_code == 400, where
        assert "evil" not in answer.content.decode()
    answer = Client().get("/account/login", headers={"Host": "127.0.0.1", "X-Forwarded-Host": "evil.example"})
    assert answer.headers["Location"] == "/account/login/"
