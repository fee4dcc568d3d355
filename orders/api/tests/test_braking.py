"""How much a customer may ask for: 429, and when to come again; and 503 while the door is shut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import URLPattern, get_resolver
from rest_framework.test import APIClient
from rest_framework.views import APIView

from orders.admission import Line, door
from orders.api.tests.client import BODY, URL, client_of, nothing_moved, placed, post
from orders.models import Order
from shop.base.brakes.braked import Braked
from shop.base.brakes.rates import Rate
from shop.tests.documents import problem

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture(autouse=True)
def rates(settings: Any) -> None:
    """Nobody has taken anything yet."""
    cache.clear()
    settings.RATES = {
        **settings.RATES,
        "placing": Rate(3, 60),
        "changing": Rate(2, 60),
        "reading": Rate(4, 60),
    }


def test_a_customer_places_so_many_and_is_told_when_to_go_on(ada: APIClient) -> None:
    answers = [post(ada) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert [answer["RateLimit"] for answer in answers] == [
        f'"placing";r={n};t={t}' for n, t in ((2, 20), (1, 40), (0, 60))
    ]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"placing";q=3;w=60'}
    refused = post(ada)
    told = problem(refused, 429)["detail"]
    assert told == "Too many of these requests: 3 at once, and then one every 20 s. Nothing was changed."
    assert (refused["Retry-After"], refused["RateLimit"]) == ("20", '"placing";r=0;t=60')
    assert Order.objects.count() == 3
    assert post(client_of("bob")).status_code == 202, "another customer has a bucket of his own"
    assert ada.get(URL).status_code == 200, "and reading another one"


@pytest.mark.parametrize(
    ("method", "path", "most", "name"),
    [
        ("get", URL, 4, "reading"),
        ("get", f"{URL}{{}}/", 4, "reading"),
        ("get", f"{URL}{{}}/timeline/", 4, "reading"),
        ("get", "/api/v1/products/", 4, "reading"),
        ("post", f"{URL}{{}}/cancel/", 2, "changing"),
    ],
)
def test_all_else_has_its_limit_too(ada: APIClient, method: str, path: str, most: int, name: str) -> None:
    path = path.format(placed(ada).uuid)
    statuses = [getattr(ada, method)(path).status_code for _ in range(most + 1)]
    assert statuses[-1] == 429
    assert 429 not in statuses[:-1]
    assert getattr(ada, method)(path)["RateLimit-Policy"].startswith(f'"{name}";q={most};')


def test_every_address_of_the_api_is_braked() -> None:
    """Logging in has a brake of its own, and the schema is made once for all."""
    open_, found = {"Login", "Schema", "Docs"}, set()
    for pattern in every_pattern(get_resolver()):
        view = getattr(pattern.callback, "cls", None)
        if view and issubclass(view, APIView):
            found.add(view.__name__)
            assert issubclass(view, Braked) or view.__name__ in open_, (
                f"{view.__name__}: derive it from Braked"
            )
    assert found > {"Orders", "Products", "Logout"}


def every_pattern(resolver: Any) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield one
        else:
            yield from every_pattern(one)


def test_who_is_nobody_is_told_by_the_address(catalogue: None) -> None:
    client = APIClient()
    for _ in range(4):
        client.get("/api/v1/products/", REMOTE_ADDR="192.0.2.1")
    assert client.get("/api/v1/products/", REMOTE_ADDR="192.0.2.1").status_code == 429
    assert client.get("/api/v1/products/", REMOTE_ADDR="192.0.2.2").status_code == 200


def test_without_a_rate_there_is_no_limit_and_nothing_said_of_one(ada: APIClient, settings: Any) -> None:
    settings.RATES = {**settings.RATES, "placing": None}
    answers = [post(ada) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [202] * 5
    assert "RateLimit" not in answers[0]


@pytest.fixture
def shut(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.RATES = dict.fromkeys(settings.RATES)
    monkeypatch.setattr(door, "shut", lambda: Line(20, 25, 16.0))


def test_while_the_door_is_shut_nothing_is_taken_and_the_same_key_is_good_later(
    ada: APIClient,
    settings: Any,
    shut: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = post(ada, key="mine")
    document = problem(answer, 503)
    assert (document["type"], document["title"]) == ("tag:shop.example,2026:backlog", "Backlog")
    assert "Nothing was changed" in document["detail"]
    assert answer["Retry-After"] == "10"
    (line,) = [record for record in caplog.records if record.name == "django.request"]
    assert (line.levelname, line.getMessage()) == ("WARNING", "Service Unavailable: /api/v1/orders/")
    assert nothing_moved()
    monkeypatch.undo()
    assert post(ada, key="mine").status_code == 202


def test_what_was_accepted_before_is_answered_as_before(
    ada: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = post(ada, key="mine")
    monkeypatch.setattr(door, "shut", lambda: Line(20, 25, 16.0))
    again = post(ada, key="mine")
    assert (again.status_code, again.content) == (202, first.content)
    problem(post(ada, BODY | {"email": "eve@example.com"}, key="mine"), 422)
    assert Order.objects.count() == 1
