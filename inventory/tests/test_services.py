from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from inventory.models import Outbox, Receipt, Reservation, Stock
from inventory.services import Delivery, dispatch_stock, receive_stock, release_stock, reserve_stock
from shop.base.databases import alias_of


def stock(sku: str = "A") -> tuple[int, int]:
    row = Stock.objects.get(product__sku=sku)
    return row.on_hand, row.reserved


def told(ref: Any) -> list[str]:
    return list(Outbox.objects.filter(order_id=ref.id).order_by("id").values_list("type", flat=True))


def test_reserving_sets_every_line_aside_and_says_from_which_warehouses(place_order: Any) -> None:
    ref = place_order(units=3)
    assert reserve_stock([ref]).done == [ref]
    assert stock("A") == stock("B") == (10, 3)
    assert Outbox.objects.get(order_id=ref.id).payload["warehouses"] == ["NORTH", "SOUTH"]


def test_reserving_again_changes_nothing(place_order: Any) -> None:
    ref = place_order(units=3)
    for _ in range(3):
        assert reserve_stock([ref]).done == [ref]
    assert stock() == (10, 3)
    assert told(ref) == ["InventoryReserved"]


def test_too_few_units_refuse_the_whole_order_and_only_that(place_order: Any) -> None:
    small, large, other = place_order(units=4), place_order(units=7), place_order(units=6)
    outcome = reserve_stock([small, large, other])
    assert (outcome.done, outcome.refused, outcome.faults) == ([small, other], [large], {})
    assert stock() == (10, 10)
    assert told(large) == ["InventoryRejected"]
    assert Reservation.objects.get(pk=large.id).reason == "out of stock: A, B"


def test_releasing_puts_back_and_is_safe_to_repeat(place_order: Any) -> None:
    ref = place_order(units=3)
    reserve_stock([ref])
    for _ in range(3):
        assert release_stock([ref]).done == [ref]
    assert stock() == (10, 0)
    assert told(ref) == ["InventoryReserved", "InventoryReleased"]


def test_an_undo_that_comes_first_leaves_a_tombstone_the_late_operation_respects(place_order: Any) -> None:
    ref = place_order(units=3)
    assert release_stock([ref]).done == [ref]
    assert reserve_stock([ref]).refused == [ref]
    assert stock() == (10, 0)
    assert told(ref) == ["InventoryReleased"]


def test_a_departure_takes_the_units_off_the_shelf_once(place_order: Any) -> None:
    ref = place_order(units=3)
    reserve_stock([ref])
    for _ in range(2):
        assert dispatch_stock([ref]).done == [ref]
    assert stock() == (7, 0)
    with pytest.raises(ValueError, match="has left the warehouse"):
        release_stock([ref])
    assert stock() == (7, 0)


def test_a_departure_without_a_reservation_is_a_fault_and_moves_nothing(place_order: Any) -> None:
    ref = place_order()
    with pytest.raises(ValueError, match="without a reservation"):
        dispatch_stock([ref])
    assert stock() == (10, 0)
    assert not Reservation.objects.filter(pk=ref.id).exists()


def test_an_unknown_delivery_is_named_and_nothing_is_taken_in(place_order: Any) -> None:
    with pytest.raises(ValueError, match="Unknown products: NOPE"):
        receive_stock([Delivery("A", "NORTH", 1), Delivery("NOPE", "NORTH", 1)])
    assert stock() == (10, 0)
    assert Receipt.objects.count() == 2


def test_the_database_itself_forbids_overselling(place_order: Any) -> None:
    with (
        pytest.raises(IntegrityError, match="stock_never_oversold"),
        transaction.atomic(alias_of("inventory")),
    ):
        Stock.objects.filter(product__sku="A").update(reserved=11)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_two_buyers_of_the_last_unit_truly_at_once(
    request: pytest.FixtureRequest, transactional_db: None
) -> None:
    """Both are inside reserve_stock at the same time: a barrier holds each until the other has begun."""
    place_order = request.getfixturevalue("place_order")
    refs = [place_order(units=10), place_order(units=10)]
    barrier = threading.Barrier(2)
    outcomes: dict[Any, Any] = {}

    def buy(ref: Any) -> None:
        barrier.wait(10)
        outcomes[ref] = reserve_stock([ref])
        connections.close_all()

    threads = [threading.Thread(target=buy, args=[ref]) for ref in refs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(len(outcomes[ref].done) for ref in refs) == [0, 1]
    assert sorted(len(outcomes[ref].refused) for ref in refs) == [0, 1]
    assert stock() == (10, 10)
