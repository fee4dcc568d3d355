"""Seeing orders over REST: one's own and nobody else's, where each is, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from datetime import timezone as dt_zone
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from orders.api.tests.client import ADA, URL, client_of, placed
from orders.models import Order, OrderLine, Outbox, Saga, TimelineEntry
from shipping.models import Parcel, Shipment
from shop.tests.documents import fields


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


@pytest.mark.parametrize(
    ("undo", "reason", "told"),
    [
        ("", "", None),
        ("stopped", "cancelled by staff", {"reason": "", "by": "staff"}),
        ("notified", "The card was declined.", {"reason": "The card was declined.", "by": "shop"}),
    ],
)
def test_why_an_order_is_cancelled_is_told_and_by_whom(
    ada: APIClient, undo: str, reason: str, told: dict[str, str] | None
) -> None:
    order = placed(ada)
    Saga.objects.update(undo=undo, reason=reason)
    assert ada.get(f"{URL}{order.uuid}/").json()["cancellation"] == told


def test_the_carriers_numbers_of_the_parcels_are_told_unless_they_are_void(ada: APIClient) -> None:
    order = placed(ada)
    Shipment.objects.create(order_id=order.uuid, number=order.number, state="planned")
    for warehouse, tracking, state in (
        ("SOUTH", "SB2", "labelled"),
        ("NORTH", "SB1", "handed_over"),
        ("EAST", "SB3", "void"),
        ("WEST", "", "planned"),
    ):
        Parcel.objects.create(
            shipment_id=order.uuid, warehouse=warehouse, key=uuid4().hex, tracking=tracking, state=state
        )
    assert ada.get(f"{URL}{order.uuid}/").json()["parcels"] == [
        {"warehouse": "NORTH", "tracking": "SB1"},
        {"warehouse": "SOUTH", "tracking": "SB2"},
    ]


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
    assert set(page["results"][0]) == {
        *("id", "cause", "at", "service", "event", "kind", "text", "by", "reason", "parcels"),
        *("waited_s", "worked_s", "outside_s"),
    }
    texts = [entry["text"] for entry in page["results"]]
    while page["next"]:
        page = ada.get(page["next"]).json()
        texts += [entry["text"] for entry in page["results"]]
    assert texts == [f"entry {n}" for n in range(10)]


def test_a_timeline_says_who_why_with_what_numbers_and_where_the_time_went(ada: APIClient) -> None:
    order = placed(ada)
    Saga.objects.filter(order=order).update(undo="stopped", reason="cancelled by staff")
    Shipment.objects.create(order_id=order.uuid, number=order.number, state="labelled")
    Parcel.objects.create(
        shipment_id=order.uuid, warehouse="NORTH", key="k", tracking="SB1", state="labelled"
    )
    paid = uuid4()
    rows: list[tuple[int, str, str, str, dict[str, Any]]] = [
        (0, "orders", "OrderCreated", "placed", {}),
        (10, "payments", "PaymentProcessed", "charged", {"event_id": paid}),
        (60, "shipping", "ParcelsLabelled", "labels", {"cause": paid, "began_at": 20, "outside": 0.03}),
        (70, "orders", "CancellationRequested", "cancellation requested by staff", {}),
        (80, "orders", "OrderCancelled", "cancelled", {}),
    ]
    begin = timezone.now()
    for ms, service, event, text, more in rows:
        if "began_at" in more:
            more["began_at"] = begin + timedelta(milliseconds=more["began_at"])
        entry = {"order": order, "event_id": uuid4(), "at": begin + timedelta(milliseconds=ms)} | more
        TimelineEntry.objects.create(service=service, event=event, text=text, kind="forward", **entry)
    told = ada.get(f"{URL}{order.uuid}/timeline/").json()["results"]
    assert [entry["by"] for entry in told] == ["customer", "system", "system", "staff", "system"]
    assert [entry["reason"] for entry in told] == ["", "", "", "", "cancelled by staff"]
    assert [entry["parcels"] for entry in told[1:3]] == [[], [{"warehouse": "NORTH", "tracking": "SB1"}]]
    waits = [(entry["waited_s"], entry["worked_s"], entry["outside_s"]) for entry in told[1:3]]
    assert waits == [(None, None, None), (0.01, 0.01, 0.03)]
    later = ada.get(f"{URL}{order.uuid}/timeline/?page_size=2").json()["next"]
    assert ada.get(later).json()["results"][0]["waited_s"] == 0.01  # its cause is on the page before


def test_ones_own_orders_are_listed_newest_first_page_by_page(ada: APIClient) -> None:
    numbers = [placed(ada).number for _ in range(5)]
    placed(client_of("eve"))
    page = ada.get(f"{URL}?page_size=2").json()
    seen = [order["number"] for order in page["results"]]
    while page["next"]:
        page = ada.get(page["next"]).json()
        seen += [order["number"] for order in page["results"]]
    assert seen == numbers[::-1]


def test_orders_are_filtered_by_number_status_style_and_time(ada: APIClient) -> None:
    old, new = placed(ada), placed(ada, style="orchestration")
    then = timezone.now() - timedelta(days=2)
    Order.objects.filter(pk=old.pk).update(placed_at=then, ended_at=then, status="completed")

    def found(**asked: str) -> list[str]:
        return [order["number"] for order in ada.get(URL, asked).json()["results"]]

    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    assert found(status="completed") == found(style="choreography") == [old.number]
    assert found(placed_at_before=yesterday) == [old.number]
    assert found(placed_at_after=yesterday) == found(status="placed") == [new.number]
    assert found(placed_at_after=then.isoformat(), placed_at_before=yesterday) == [old.number]
    assert found(placed_at_after=then.isoformat(), placed_at_before=then.isoformat()) == []
    far = then.astimezone(dt_zone(timedelta(hours=-21, minutes=-11)))  # further than PostgreSQL knows zones
    assert found(placed_at_after=far.isoformat(), placed_at_before=yesterday) == [old.number]
    assert found(ended_at_before=yesterday) == found(ended_at_after=then.isoformat()) == [old.number]
    assert found(ended_at_after=yesterday) == found(ended_at_before=then.isoformat()) == []
    assert found(number=new.number) == [new.number]
    assert found(number=new.number, style="choreography") == found(number="S-99999999999999") == []
    assert found(number=placed(client_of("eve")).number) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("status=%00", "status"),
        ("style=jazz", "style"),
        ("placed_at_after=yesterday", "placed_at_after"),
        ("placed_at_before=%00", "placed_at_before"),
        ("placed_at_before=99999-01-01T00:00Z", "placed_at_before"),
        ("placed_at_before=", "placed_at_before"),
        ("ended_at_after=", "ended_at_after"),
        ("number=S-1", "number"),
        ("number=%D9%A1", "number"),
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
