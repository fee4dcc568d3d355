"""Requests of the same moment are placed together, and each gets the answer it would have got alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg
import pytest
from django.db import DataError, OperationalError, connections, router

from inventory.models import Product
from orders.api import door
from orders.lookups import DeliveryAddress
from orders.models import Order, Outbox
from orders.placement import (
    Answer,
    KeyTaken,
    NotNow,
    NotPlaceable,
    Placed,
    PlaceOrder,
    WantedLine,
    place_orders,
)

REQUEST = PlaceOrder(
    customer_id=7,
    idempotency_key="key",
    lines=[WantedLine("MUG", 2)],
    currency="GBP",
    payment_method="pm_card_approved",
    email="ada@example.invalid",
    address=DeliveryAddress(name="Ada", line1="1 Street", city="London", postcode="N1", country="GB"),
)
change: Callable[..., PlaceOrder] = msgspec.structs.replace
transactional = pytest.mark.django_db(databases="__all__", transaction=True)


def at_once(requests: Sequence[PlaceOrder], monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], list[int]]:
    """All are placed while a first one is under way: their answers or faults, and the sizes of the sets."""
    begun, go_on, sizes = threading.Event(), threading.Event(), list[int]()

    def place(orders: Sequence[PlaceOrder]) -> list[Answer]:
        sizes.append(len(orders))
        begun.set()
        assert go_on.wait(20)
        return place_orders(orders)

    def run(request: PlaceOrder) -> Answer | NotNow | Exception:
        try:
            return door.place(request)
        except Exception as error:
            return error
        finally:
            connections.close_all()

    monkeypatch.setattr(door, "place_orders", place)
    with ThreadPoolExecutor(len(requests) + 1) as pool:
        first = pool.submit(run, change(REQUEST, idempotency_key="first"))
        assert begun.wait(20)
        others = [pool.submit(run, request) for request in requests]
        while len(door._door._waiting) < len(requests):
            threading.Event().wait(0.001)
        go_on.set()
        assert isinstance(first.result(20), Placed)
        return [other.result(20) for other in others], sizes


@transactional
@pytest.mark.usefixtures("catalogue")
def test_each_gets_its_own_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    place_orders([change(REQUEST, idempotency_key="old"), change(REQUEST, idempotency_key="taken")])
    requests = [
        change(REQUEST, idempotency_key="new"),
        change(REQUEST, idempotency_key="old"),
        change(REQUEST, idempotency_key="taken", email="eve@example.invalid"),
        change(REQUEST, idempotency_key="bad", lines=[WantedLine("NONE", 1)]),
        change(REQUEST, idempotency_key="new", customer_id=8),
    ]
    answers, sizes = at_once(requests, monkeypatch)
    assert [type(answer) for answer in answers] == [Placed, Placed, KeyTaken, NotPlaceable, Placed]
    assert [answer.again for answer in (answers[0], answers[1], answers[4])] == [False, True, False]
    for answer, request in zip((answers[0], answers[4]), (requests[0], requests[4]), strict=True):
        assert answer.order.request_digest == request.digest()
        assert answer.order.customer_id == request.customer_id
    assert sizes == [1, 5]
    assert Order.objects.count() == Outbox.objects.count() == 5


@transactional
@pytest.mark.usefixtures("catalogue")
def test_one_that_cannot_be_stored_does_not_take_its_neighbours_down(monkeypatch: pytest.MonkeyPatch) -> None:
    Product.objects.create(sku="MINE", name="Mine", price_minor=2**62)
    lines = {"poison": [WantedLine("MINE", 2)]}
    requests = [
        change(REQUEST, idempotency_key=key, lines=lines.get(key, REQUEST.lines))
        for key in ("a", "poison", "z")
    ]
    answers, sizes = at_once(requests, monkeypatch)
    assert [type(answer) for answer in answers] == [Placed, DataError, Placed]
    assert [answer.again for answer in (answers[0], answers[2])] == [False, False]
    assert sizes == [1, 3, 1, 1, 1]
    assert set(Order.objects.values_list("idempotency_key", flat=True)) == {"first", "a", "z"}
    assert Outbox.objects.count() == 3


@transactional
@pytest.mark.usefixtures("catalogue")
def test_those_with_one_key_are_placed_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    other = change(REQUEST, email="eve@example.invalid")
    answers, sizes = at_once([REQUEST, change(REQUEST, idempotency_key="a"), REQUEST, other], monkeypatch)
    same = [
        answer for answer in answers if isinstance(answer, Placed) and answer.order.idempotency_key == "key"
    ]
    assert len({answer.order.pk for answer in same}) == 1
    assert sum(not answer.again for answer in same) == 1
    assert sizes == [1, 2, 1, 1]
    assert Order.objects.count() == Outbox.objects.count() == 3


@transactional
@pytest.mark.usefixtures("catalogue")
def test_after_a_lost_connection_the_order_is_placed_on_a_new_one() -> None:
    door.place(REQUEST)
    connection = connections[router.db_for_write(Order)]
    backend = connection.connection.info.backend_pid
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [backend])
    answer = door.place(change(REQUEST, idempotency_key="after"))
    assert isinstance(answer, Placed)
    assert not answer.again
    assert connection.connection.info.backend_pid != backend
    assert Order.objects.count() == Outbox.objects.count() == 2


@transactional
def test_a_fault_on_a_connection_that_lives_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connections[router.db_for_write(Order)].ensure_connection()
    asked: list[int] = []

    def away(requests: Sequence[PlaceOrder]) -> list[Answer]:
        asked.append(len(requests))
        raise OperationalError("away")

    monkeypatch.setattr(door, "place_orders", away)
    with pytest.raises(OperationalError, match="away"):
        door.place(REQUEST)
    assert asked == [1]


def test_all_sets_take_their_keys_in_one_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[tuple[int, str]]] = []

    def place(requests: Sequence[PlaceOrder]) -> list[Answer]:
        seen.append([(request.customer_id, request.idempotency_key) for request in requests])
        return [KeyTaken() for _ in requests]

    monkeypatch.setattr(door, "place_orders", place)
    keys = [(2, "a"), (1, "b"), (1, "a"), (1, "b")]
    door._place([change(REQUEST, customer_id=customer, idempotency_key=key) for customer, key in keys])
    assert seen == [[(1, "a"), (1, "b"), (2, "a")], [(1, "b")]]
