from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from inventory.models import Outbox, Receipt, Reservation, Stock
from inventory.services import Delivery, dispatch_stock, receive_stock, release_stock, reserve_stock
from shop.base.databases import alias_of
from tests.statements import own, statements
from tests.threads import at_once


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
    place_order = request.getfixturevalue("place_order")
    refs = [place_order(units=10), place_order(units=10)]
    outcomes = at_once(*(partial(reserve_stock, [ref]) for ref in refs))
    assert sorted(len(outcome.done) for outcome in outcomes) == [0, 1]
    assert sorted(len(outcome.refused) for outcome in outcomes) == [0, 1]
    assert stock() == (10, 10)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_an_order_that_is_delivered_twice_at_once_is_reserved_once(
    request: pytest.FixtureRequest, transactional_db: None
) -> None:
    place_order = request.getfixturevalue("place_order")
    refs = [place_order(units=2), place_order(units=3)]
    outcomes = at_once(partial(reserve_stock, refs), partial(reserve_stock, refs[::-1]))
    assert [outcome.done for outcome in outcomes] == [refs, refs[::-1]]
    assert stock() == (10, 5)
    assert [told(ref) for ref in refs] == [["InventoryReserved"], ["InventoryReserved"]]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_departures_and_releases_of_the_same_products_at_once_lose_no_unit(
    request: pytest.FixtureRequest, transactional_db: None
) -> None:
    place_order = request.getfixturevalue("place_order")
    refs = [place_order(units=units) for units in (1, 2, 3, 4)]
    reserve_stock(refs)
    at_once(
        *(partial(dispatch_stock, [ref]) for ref in refs[:2]),
        *(partial(release_stock, [ref]) for ref in refs[2:]),
    )
    assert stock("A") == stock("B") == (7, 0)


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize(
    ("late", "early", "answer", "seen"),
    [
        (reserve_stock, release_stock, "refused", False),
        (release_stock, reserve_stock, "done", False),
        (release_stock, reserve_stock, "done", True),
    ],
)
def test_who_is_overtaken_looks_again(
    request: pytest.FixtureRequest,
    transactional_db: None,
    monkeypatch: pytest.MonkeyPatch,
    late: Any,
    early: Any,
    answer: str,
    seen: bool,
) -> None:
    """The other operation comes in between, just before or after this one looks for reservations there are already."""
    ref = request.getfixturevalue("place_order")(units=3)
    states = Reservation.states
    looks: list[Any] = []

    def look(refs: Any) -> Any:
        looks.append(refs)
        found = states(refs)
        if len(looks) == 1:
            at_once(partial(early, [ref]))
        return states(refs) if seen else found

    monkeypatch.setattr(Reservation, "states", look)
    assert getattr(late([ref]), answer) == [ref]
    assert stock() == (10, 0)
    assert told(ref)[-1] == "InventoryReleased"


@pytest.mark.parametrize(
    ("operations", "most"),
    [
        ([reserve_stock], 5),  # stock; states; then reservation, lines and stock are written
        ([reserve_stock, dispatch_stock], 2),  # the state and the stock
        ([reserve_stock, release_stock], 2),
        ([release_stock], 3),  # a tombstone: no reservation to move on, none known, one is made
        ([release_stock, reserve_stock], 2),
    ],
    ids=lambda value: "_".join(op.__name__ for op in value) if isinstance(value, list) else None,
)
def test_a_set_takes_as_few_statements_as_an_order(place_order: Any, operations: Any, most: int) -> None:
    receive_stock([Delivery("A", "NORTH", 100), Delivery("B", "SOUTH", 100)])
    *before, operation = operations
    for refs in ([place_order()], [place_order() for _ in range(50)]):
        for earlier in before:
            earlier(refs)
        with statements() as sent:
            operation(refs)
        assert own(sent, "inventory") == most
