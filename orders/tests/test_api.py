"""Orders over REST, with real tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from inventory.models import Product
from orders.api.tests.client import (
    ADA,
    BODY,
    URL,
    client_of,
    fields,
    nothing_moved,
    placed,
    post,
    stock_the_catalogue,
)
from orders.models import Order, OrderLine, Outbox, Saga, TimelineEntry

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def catalogue(db: None, settings: Any) -> None:
    settings.WHITENOISE_AUTOREFRESH = True  # no look at all static files for each client
    stock_the_catalogue()


@pytest.fixture
def ada(db: None) -> APIClient:
    return client_of("ada")


# --- placing --------------------------------------------------------------------------------------------------------


def test_an_order_is_accepted_with_a_receipt_and_a_place_to_follow_it(ada: APIClient) -> None:
    answer = post(ada)
    order = Order.objects.get()
    here = f"{URL}{order.uuid}/"
    assert (answer.status_code, answer["Location"]) == (202, here)
    assert answer.json() == {
        "id": str(order.uuid),
        "number": f"S-{100_000 + order.pk}",
        "style": "choreography",
        "status": "placed",
        "currency": "GBP",
        "total_minor": 2290,
        "total": "GBP 22.90",
        "placed_at": order.placed_at.isoformat().replace("+00:00", "Z"),
        "links": {"self": here, "timeline": f"{here}timeline/", "cancel": f"{here}cancel/"},
    }
    assert order.customer_id == User.objects.get(username="ada").pk
    assert Outbox.objects.get().type == "OrderCreated"


def test_the_setting_decides_the_style_of_an_order_that_names_none(ada: APIClient, settings: Any) -> None:
    for style in settings.STYLES:
        settings.FULFILLMENT_STYLE = style
        body = {name: value for name, value in BODY.items() if name != "style"}
        assert post(ada, body).json()["style"] == style


def test_the_same_request_is_answered_the_same_even_when_the_order_has_moved_on(ada: APIClient) -> None:
    first = post(ada, key="k")
    Order.objects.update(status="completed", ended_at=timezone.now())
    Product.objects.update(price_minor=1)
    again = post(ada, json.dumps(BODY, indent=3).encode(), key="k")
    assert (again.status_code, again["Location"], again.content) == (202, first["Location"], first.content)
    assert (Order.objects.count(), Outbox.objects.count()) == (1, 1)


def test_the_same_key_with_another_body_is_refused(ada: APIClient) -> None:
    post(ada, key="k")
    answer = post(ada, BODY | {"email": "eve@example.com"}, key="k")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"].endswith(":idempotency-key-reused")
    assert (Order.objects.count(), Outbox.objects.count()) == (1, 1)


def test_another_customer_may_use_the_same_key(ada: APIClient) -> None:
    assert post(ada, key="k").json()["id"] != post(client_of("eve"), key="k").json()["id"]


@pytest.mark.parametrize(
    "key", [None, " ", "a b", "x" * 101, "ключ".encode().decode("latin-1"), "a\tb", "\x7f"]
)
def test_an_order_needs_a_key_of_visible_characters(ada: APIClient, key: str | None) -> None:
    answer = post(ada, key=key)
    assert (answer.status_code, fields(answer)) == (400, ["Idempotency-Key"])
    assert nothing_moved()


def test_a_key_of_a_hundred_characters_is_fine(ada: APIClient) -> None:
    assert post(ada, key="~" * 100).status_code == 202


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_eight_requests_with_one_key_at_once_are_one_order_and_one_answer() -> None:
    clients = [client_of("ada") for _ in range(8)]
    start = Barrier(8, timeout=20)

    def run(client: APIClient) -> tuple[int, bytes, str]:
        try:
            start.wait()
            answer = post(client, key="k")
            return answer.status_code, answer.content, answer["Location"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(run, clients))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 202
    assert (Order.objects.count(), Outbox.objects.count()) == (1, 1)


# --- seeing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["", "timeline/", "cancel/"])
def test_another_customers_order_is_not_there(ada: APIClient, what: str) -> None:
    order = placed(ada)
    events = Outbox.objects.count()
    for eve in (client_of("eve"), client_of("boss", staff=True)):
        for address in (f"{URL}{order.uuid}/{what}", f"{URL}{uuid4()}/{what}"):
            answer = eve.post(address) if what == "cancel/" else eve.get(address)
            assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    order.refresh_from_db()
    assert (order.status, Outbox.objects.count()) == ("placed", events)
    assert eve.get(URL).json()["results"] == []


def test_an_order_shows_what_was_ordered_where_it_is_and_what_it_waits_for(ada: APIClient) -> None:
    order = placed(ada)
    assert order.saga.deadline is not None
    answer = ada.get(f"{URL}{order.uuid}/").json()
    assert answer["lines"] == [
        {"sku": "MUG", "name": "Mug", "quantity": 2, "price_minor": 850, "price": "GBP 8.50", "total_minor": 1700},
        {"sku": "TEA", "name": "Tea", "quantity": 1, "price_minor": 590, "price": "GBP 5.90", "total_minor": 590},
    ]  # fmt: skip
    assert answer["address"] == ADA
    assert (answer["status"], answer["total"], answer["ended_at"]) == ("placed", "GBP 22.90", None)
    assert answer["waiting"] == {
        "reached": "placed",
        "undone": "",
        "text": "Your products are being set aside.",
        "attempt": 0,
        "next_look": order.saga.deadline.isoformat().replace("+00:00", "Z"),
        "trouble": "",
    }


def test_an_order_at_its_end_waits_for_nothing(ada: APIClient) -> None:
    order = placed(ada)
    Saga.objects.update(state="ended", deadline=None)
    assert ada.get(f"{URL}{order.uuid}/").json()["waiting"] is None


@pytest.mark.parametrize(("state", "words"), [("running", "tried again"), ("parked", "a person")])
def test_a_customer_is_told_of_trouble_and_only_staff_of_its_insides(
    ada: APIClient, state: str, words: str
) -> None:
    boss = client_of("boss", staff=True)
    for client in (ada, boss):
        order = placed(client)
        Saga.objects.filter(order=order).update(
            state=state, attempt=3, last_error="gateway: 10.0.0.7 refused"
        )
        text = "payments.take_payment failed, to be tried again: 10.0.0.7 refused"
        entry = {"at": timezone.now(), "service": "payments", "event": "StepFailed", "kind": "trouble"}
        TimelineEntry.objects.create(order=order, event_id=uuid4(), text=text, **entry)
        seen = client.get(f"{URL}{order.uuid}/").content + client.get(f"{URL}{order.uuid}/timeline/").content
        assert words in seen.decode()
        assert (b"10.0.0.7" in seen) == (client is boss)


def test_a_timeline_is_read_in_the_order_of_events_page_by_page(ada: APIClient) -> None:
    order = placed(ada)
    begin = timezone.now()
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            order=order,
            event_id=uuid4(),
            at=begin + timedelta(seconds=n // 3),
            service="orders",
            event="OrderCreated",
            kind="forward",
            text=f"entry {n}",
        )
        for n in range(10)
    )
    page = ada.get(f"{URL}{order.uuid}/timeline/?page_size=4").json()
    assert set(page["results"][0]) == {"at", "service", "event", "kind", "text"}
    texts = [entry["text"] for entry in page["results"]]
    while page["next"]:
        page = ada.get(page["next"]).json()
        texts += [entry["text"] for entry in page["results"]]
    assert texts == [f"entry {n}" for n in range(10)]


def test_ones_own_orders_are_listed_newest_first_page_by_page(ada: APIClient) -> None:
    numbers = [placed(ada).number for _ in range(5)]
    placed(client_of("eve"))
    page = ada.get(f"{URL}?page_size=2").json()
    seen = [order["number"] for order in page["results"]]
    while page["next"]:
        page = ada.get(page["next"]).json()
        seen += [order["number"] for order in page["results"]]
    assert seen == numbers[::-1]


def test_orders_are_filtered_by_status_style_and_time(ada: APIClient) -> None:
    old, new = placed(ada), placed(ada, style="orchestration")
    then = timezone.now() - timedelta(days=2)
    Order.objects.filter(pk=old.pk).update(placed_at=then, status="completed")

    def found(**asked: str) -> list[str]:
        return [order["number"] for order in ada.get(URL, asked).json()["results"]]

    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    assert found(status="completed") == found(style="choreography") == [old.number]
    assert found(placed_at_before=yesterday) == [old.number]
    assert found(placed_at_after=yesterday) == found(status="placed") == [new.number]
    assert found(placed_at_after=then.isoformat(), placed_at_before=yesterday) == [old.number]
    assert found(placed_at_after=then.isoformat(), placed_at_before=then.isoformat()) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("status=%00", "status"),
        ("style=jazz", "style"),
        ("placed_at_after=yesterday", "placed_at_after"),
        ("placed_at_before=%00", "placed_at_before"),
        ("placed_at_before=99999-01-01T00:00Z", "placed_at_before"),
        ("page_size=0", "page_size"),
        ("page_size=201", "page_size"),
        ("page_size=-1", "page_size"),
        ("page_size=%D9%A1", "page_size"),
        ("page_size=" + "9" * 5000, "page_size"),
        ("cursor=x", "cursor"),
        ("cursor=cD14", "cursor"),  # p=x
        ("cursor=cD0lMDA=", "cursor"),  # p=%00
        ("cursor=bz05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=", ""),  # an offset of 10^28 is cut off
        ("placed_at_after=0001-01-01T00:00:00%2B23:59", "placed_at_after"),
        ("placed_at_before=9999-12-31T23:59:59-23:59", "placed_at_before"),
    ],
)
def test_a_bad_question_is_refused_naming_the_parameter(ada: APIClient, query: str, field: str) -> None:
    answer = ada.get(f"{URL}?{query}")
    if field:
        assert (answer.status_code, fields(answer)) == (400, [field])
    else:
        assert (answer.status_code, answer.json().get("results")) == (200, []), answer.content


@contextmanager
def queries_at_most(number: int) -> Iterator[None]:
    """In all databases together, with those that check the token."""
    with ExitStack() as stack:
        captured = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections]
        yield
    sent = [query["sql"] for context in captured for query in context.captured_queries]
    assert 0 < len(sent) <= number, sent


def test_the_number_of_queries_does_not_grow_with_what_is_shown(ada: APIClient) -> None:
    order = placed(ada)
    for _ in range(10):
        placed(ada)
    OrderLine.objects.bulk_create(
        OrderLine(order=order, sku=f"X{n}", name="X", quantity=1, price_minor=1) for n in range(50)
    )
    of_the_token = 2
    with queries_at_most(of_the_token + 1):
        assert len(ada.get(URL).json()["results"]) == 11
    with queries_at_most(of_the_token + 2):
        assert len(ada.get(f"{URL}{order.uuid}/").json()["lines"]) == 52
    with queries_at_most(of_the_token + 2):
        ada.get(f"{URL}{order.uuid}/timeline/")


# --- cancelling -----------------------------------------------------------------------------------------------------


def test_an_order_is_cancelled_on_request_and_asking_again_changes_nothing(ada: APIClient) -> None:
    order = placed(ada)
    for _ in range(2):
        answer = ada.post(f"{URL}{order.uuid}/cancel/")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelling")
        assert answer.json()["number"] == order.number
    assert [row.payload.get("by") for row in Outbox.objects.order_by("id")] == [None, "customer"]


def test_a_cancelled_order_is_cancelled_already(ada: APIClient) -> None:
    order = placed(ada)
    Order.objects.update(status="cancelled", ended_at=timezone.now())
    answer = ada.post(f"{URL}{order.uuid}/cancel/")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert Outbox.objects.count() == 1


@pytest.mark.parametrize(
    "gone",
    [
        {"status": "shipped"},
        {"status": "completed", "ended_at": timezone.now()},
        {"status": "paid", "cancellation_refused": True},
    ],
    ids=["shipped", "completed", "refused before"],
)
def test_an_order_that_has_left_cannot_be_cancelled(ada: APIClient, gone: dict[str, Any]) -> None:
    order = placed(ada)
    Order.objects.update(**gone)
    answer = ada.post(f"{URL}{order.uuid}/cancel/")
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert answer.json()["type"].endswith(":too-late-to-cancel")
    order.refresh_from_db()
    assert (order.status, Outbox.objects.count()) == (gone["status"], 1)
