"""The door that the REST API and the importer share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.db import DataError, connections

from inventory.models import Product
from orders import placement
from orders.lookups import DeliveryAddress
from orders.models import Order, OrderLine, Outbox, Saga
from orders.placement import KeyTaken, NotPlaceable, Placed, PlaceOrder, WantedLine, place_orders
from shop.messaging.rows import insert
from tests.statements import statements

pytestmark = pytest.mark.django_db(databases="__all__")

REQUEST = PlaceOrder(
    customer_id=7,
    idempotency_key="key",
    lines=[WantedLine("MUG", 2), WantedLine("TEA", 1)],
    currency="GBP",
    payment_method="pm_card_approved",
    email="ada@example.invalid",
    address=DeliveryAddress(name="Ada", line1="1 Street", city="London", postcode="N1", country="GB"),
)
change: Callable[..., PlaceOrder] = msgspec.structs.replace


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    make_catalogue()


def make_catalogue() -> None:
    Product.objects.create(sku="MUG", name="Mug", price_minor=850)
    Product.objects.create(sku="TEA", name="Tea", price_minor=590)
    Product.objects.create(sku="UHR", name="Uhr", price_minor=900, currency="EUR")
    Product.objects.create(sku="OLD", name="Old mug", price_minor=100, on_sale=False)


def place(request: PlaceOrder = REQUEST) -> Any:
    (answer,) = place_orders([request])
    return answer


def stored() -> tuple[int, int, int, int]:
    return Order.objects.count(), OrderLine.objects.count(), Saga.objects.count(), Outbox.objects.count()


def test_an_order_is_stored_with_its_lines_its_saga_and_its_event() -> None:
    order = place().order
    assert stored() == (1, 2, 1, 1)
    assert (order.status, order.total_minor, order.style) == ("placed", 2290, settings.FULFILLMENT_STYLE)
    told = Outbox.objects.get()
    assert (told.type, told.order_id, told.payload["total_minor"]) == ("OrderCreated", order.uuid, 2290)
    assert "Ada" not in str(told.payload)


def test_the_same_request_again_is_the_same_order_whatever_the_catalogue_says_by_then() -> None:
    first = place()
    Product.objects.update(on_sale=False)
    assert place() == Placed(first.order, again=True)
    assert stored() == (1, 2, 1, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"lines": [WantedLine("MUG", 3), WantedLine("TEA", 1)]},
        {"lines": [WantedLine("TEA", 1), WantedLine("MUG", 2)]},
        {"email": "eve@example.invalid"},
        {"payment_method": "pm_card_declined"},
        {"style": "choreography"},
        {"address": msgspec.structs.replace(REQUEST.address, line1="2 Street")},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_key_belongs_to_one_request(other: dict[str, Any]) -> None:
    place()
    assert place(change(REQUEST, **other)) == KeyTaken()
    assert stored() == (1, 2, 1, 1)


def test_two_customers_may_have_the_same_key() -> None:
    assert place().order != place(change(REQUEST, customer_id=8)).order
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    ("sku", "why"),
    [
        ("NONE", "There is no product 'NONE' on sale."),
        ("OLD", "There is no product 'OLD' on sale."),
        ("UHR", "'UHR' is sold in EUR, not in GBP."),
    ],
)
def test_what_is_not_on_sale_in_this_currency_is_refused_by_its_line(sku: str, why: str) -> None:
    answer = place(change(REQUEST, lines=[WantedLine("MUG", 1), WantedLine(sku, 1)]))
    assert answer == NotPlaceable(1, "sku", why)
    assert stored() == (0, 0, 0, 0)


@pytest.mark.parametrize("size", [1, 50])
def test_a_set_of_new_orders_takes_as_many_statements_as_a_lone_one(size: int) -> None:
    """Prices; order, saga, lines, event; nothing asks for a key that is new."""
    requests = [change(REQUEST, idempotency_key=f"key {n}") for n in range(size)]
    with statements() as sent:
        place_orders(requests)
    assert stored() == (size, 2 * size, size, size)
    assert len(sent) == 5, sent


def test_old_and_new_orders_in_one_set_are_told_apart() -> None:
    old = change(REQUEST, idempotency_key="old")
    earlier = place(old).order
    taken = change(old, customer_id=8)
    place(change(taken, email="eve@example.invalid"))
    answers = place_orders([change(REQUEST, idempotency_key="new"), old, taken])
    assert answers[1:] == [Placed(earlier, again=True), KeyTaken()]
    assert isinstance(answers[0], Placed)
    assert not answers[0].again
    assert stored() == (3, 6, 3, 3)


def test_orders_are_numbered_in_the_sequence_they_came_in() -> None:
    answers = place_orders([change(REQUEST, idempotency_key=f"key {n}") for n in (3, 1, 2)])
    orders = [answer.order for answer in answers if isinstance(answer, Placed)]
    assert [order.pk for order in orders] == [orders[0].pk + n for n in range(3)]
    assert list(Order.objects.order_by("pk")) == orders


def test_the_order_in_the_answer_is_the_one_in_the_database() -> None:
    order = place().order
    there = Order.objects.get(pk=order.pk)
    assert {field.attname: getattr(order, field.attname) for field in Order._meta.concrete_fields} == {
        field.attname: getattr(there, field.attname) for field in Order._meta.concrete_fields
    }


def test_a_refused_order_leaves_its_neighbours_alone() -> None:
    bad = change(REQUEST, idempotency_key="bad", lines=[WantedLine("NONE", 1)])
    good = [change(REQUEST, idempotency_key=f"good {n}") for n in range(2)]
    answers = place_orders([good[0], bad, good[1]])
    assert [type(answer) for answer in answers] == [Placed, NotPlaceable, Placed]
    assert stored() == (2, 4, 2, 2)


def test_the_same_product_twice_is_one_line_unless_at_another_price() -> None:
    lines = [WantedLine("MUG", 1), WantedLine("MUG", 2), WantedLine("MUG", 4, price_minor=1)]
    order = place(change(REQUEST, lines=lines)).order
    assert list(order.lines.values_list("sku", "quantity", "price_minor")) == [("MUG", 3, 850), ("MUG", 4, 1)]
    assert order.total_minor == 3 * 850 + 4


def test_the_order_keeps_the_price_of_its_moment() -> None:
    order = place().order
    Product.objects.update(price_minor=1, name="Renamed")
    assert list(order.lines.values_list("name", "price_minor")) == [("Mug", 850), ("Tea", 590)]


@pytest.mark.parametrize("units", [2, 100_000])
def test_a_total_that_the_database_cannot_count_stores_nothing(units: int) -> None:
    Product.objects.filter(sku="MUG").update(price_minor=2**62)
    with pytest.raises(DataError):
        place(change(REQUEST, lines=[WantedLine("MUG", units)]))
    assert stored() == (0, 0, 0, 0)


@pytest.mark.django_db(databases="__all__", transaction=True)
@pytest.mark.parametrize("same", [True, False], ids=["same request", "another request"])
def test_two_requests_with_one_key_at_the_same_moment_are_one_order(
    same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes while the first has stored its order and not yet committed: it must wait, and then see it."""
    both_are_there = threading.Barrier(2, timeout=20)
    first_has_stored = threading.Event()
    store = placement._store

    def store_when_both_are_there(*args: Any) -> None:
        both_are_there.wait()
        store(*args)

    def insert_and_dawdle(*args: Any, **kwargs: Any) -> Any:
        found = insert(*args, **kwargs)
        if not first_has_stored.is_set():
            first_has_stored.set()
            time.sleep(0.3)
        return found

    monkeypatch.setattr(placement, "_store", store_when_both_are_there)
    monkeypatch.setattr(placement, "insert", insert_and_dawdle)
    answers: list[Any] = []

    def run(request: PlaceOrder) -> None:
        try:
            answers.append(place(request))
        finally:
            connections.close_all()

    requests = [REQUEST, REQUEST if same else change(REQUEST, email="eve@example.invalid")]
    threads = [threading.Thread(target=run, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert stored() == (1, 2, 1, 1)
    order = Order.objects.get()
    if same:
        assert {(answer.order.pk, answer.again) for answer in answers} == {
            (order.pk, False),
            (order.pk, True),
        }
    else:
        assert sorted(type(answer).__name__ for answer in answers) == ["KeyTaken", "Placed"]
