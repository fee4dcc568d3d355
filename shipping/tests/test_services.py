from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from inventory.services import Delivery, receive_stock
from shipping import services
from shipping.carrier import LabelRequest, SandboxCarrier
from shipping.models import Outbox, Parcel, Shipment
from shipping.services import create_labels, hand_over, stop_shipping
from shipping.tests.traces import Decisive, books, parcels, state, told
from shop.messaging.outcomes import Fault
from tests.statements import own, statements


def test_all_labels_are_made_once_and_told_in_one_event(paid: Any) -> None:
    ref = paid()
    for _ in range(2):
        assert create_labels([ref]).done == [ref]
    assert (state(ref), parcels(ref), books(ref)) == ("labelled", ["labelled"] * 2, ["label"] * 2)
    (event,) = Outbox.objects.filter(order_id=ref.id)
    tracking = dict(Parcel.objects.filter(shipment=ref.id).values_list("warehouse", "tracking"))
    assert (event.type, event.payload["tracking"]) == ("ParcelsLabelled", tracking)
    assert all(tracking.values())


def test_the_last_of_several_warehouses_tells_that_all_labels_are_made(paid: Any) -> None:
    ref = paid()
    assert create_labels([ref], "NORTH").done == [ref]
    assert (state(ref), parcels(ref), told(ref)) == ("planned", ["labelled", "planned"], [])
    for _ in range(2):
        assert create_labels([ref], "SOUTH").done == [ref]
    assert (state(ref), told(ref)) == ("labelled", ["ParcelsLabelled"])


def test_the_hand_over_waits_for_every_label(paid: Any) -> None:
    ref = paid()
    create_labels([ref], "NORTH")
    outcome = hand_over([ref])
    assert (outcome.done, outcome.refused, outcome.faults) == ([], [], {})
    assert "handover" not in books(ref)
    create_labels([ref], "SOUTH")
    for _ in range(2):
        assert hand_over([ref]).done == [ref]
    assert (state(ref), parcels(ref)) == ("handed_over", ["handed_over"] * 2)
    assert books(ref).count("handover") == 2
    assert told(ref) == ["ParcelsLabelled", "OrderShipped"]


def test_an_order_without_parcels_is_not_handed_over_but_its_neighbour_is(paid: Any) -> None:
    ref, unplanned = paid(), paid()
    create_labels([ref])
    outcome = hand_over([unplanned, ref])
    assert (outcome.done, list(outcome.faults)) == ([ref], [unplanned])


def test_an_order_whose_stock_is_not_set_aside_gets_no_shipment(place_order: Any, outside: Any) -> None:
    with pytest.raises(Fault, match="No stock"):
        create_labels([place_order()])
    assert not Shipment.objects.exists()


@pytest.mark.parametrize("warehouses", [[None], ["NORTH", "SOUTH"]])
def test_a_refused_address_voids_all_labels(paid: Any, warehouses: list[str | None]) -> None:
    ref = paid(postcode="REFUSE")
    for warehouse in warehouses:
        assert create_labels([ref], warehouse).refused == [ref]
    assert (state(ref), parcels(ref), told(ref)) == ("failed", ["void"] * 2, ["ShippingFailed"])
    assert hand_over([ref]).refused == [ref]
    assert "handover" not in books(ref)


@pytest.mark.parametrize("warehouses", [["NORTH"], ["NORTH", "SOUTH"]])
def test_stopping_voids_what_was_labelled_and_nothing_leaves_later(paid: Any, warehouses: list[str]) -> None:
    ref = paid()
    for warehouse in warehouses:
        create_labels([ref], warehouse)
    for _ in range(2):
        assert stop_shipping([ref]).done == [ref]
    assert create_labels([ref], "SOUTH").refused == [ref]
    assert hand_over([ref]).refused == [ref]
    assert (state(ref), parcels(ref), books(ref).count("void")) == ("stopped", ["void"] * 2, 2)
    assert "handover" not in books(ref)
    assert told(ref).count("ShippingStopped") == 1


def test_stopping_first_leaves_a_tombstone(paid: Any) -> None:
    ref = paid()
    for _ in range(2):
        assert stop_shipping([ref]).done == [ref]
    assert create_labels([ref]).refused == [ref]
    assert hand_over([ref]).refused == [ref]
    assert (parcels(ref), told(ref)) == ([], ["ShippingStopped"])


def test_past_the_pivot_stopping_is_refused_and_said_once(paid: Any) -> None:
    ref = paid()
    create_labels([ref])
    hand_over([ref])
    for _ in range(2):
        assert stop_shipping([ref]).refused == [ref]
    assert told(ref).count("CancellationRefused") == 1
    assert (state(ref), books(ref).count("handover")) == ("handed_over", 2)


def test_a_lost_answer_makes_one_label(paid: Any) -> None:
    ref = paid(postcode="LOST")
    assert list(create_labels([ref]).faults) == [ref]
    assert (state(ref), told(ref)) == ("planned", [])
    assert create_labels([ref]).done == [ref]
    assert books(ref) == ["label"] * 2


def test_a_fault_of_one_order_is_its_own(paid: Any) -> None:
    good, broken, bad = paid(), paid(postcode="DOWN"), paid(postcode="REFUSE")
    outcome = create_labels([good, broken, bad])
    assert (outcome.done, outcome.refused, list(outcome.faults)) == ([good], [bad], [broken])


def asked_for_nothing(self: SandboxCarrier, requests: Sequence[LabelRequest]) -> Iterator[dict[str, object]]:
    assert not requests
    return iter(())


@pytest.mark.parametrize("warehouse", [None, "NORTH", "SOUTH"])
def test_a_refusal_whose_undo_broke_off_is_finished_by_whoever_takes_the_order_up(
    paid: Any, monkeypatch: pytest.MonkeyPatch, warehouse: str | None
) -> None:
    ref = paid(postcode="REFUSE")
    with monkeypatch.context() as away:
        away.setattr(
            SandboxCarrier,
            "void",
            lambda self, keys: iter([{key: Fault("can't be reached") for key in keys}]),
        )
        assert list(create_labels([ref], "NORTH").faults) == [ref]
    assert state(ref) == "failing"
    with monkeypatch.context() as not_again:
        # It has refused: nothing more is asked for.
        not_again.setattr(SandboxCarrier, "create_labels", asked_for_nothing)
        assert create_labels([ref], warehouse).refused == [ref]
    assert (state(ref), told(ref)) == ("failed", ["ShippingFailed"])


@pytest.mark.parametrize("operations", [[create_labels, hand_over], [hand_over]])
def test_what_an_older_version_left_with_all_labels_goes_on(paid: Any, operations: list[Any]) -> None:
    ref = paid()
    create_labels([ref])
    Shipment.objects.update(state="planned")
    Outbox.objects.all().delete()
    for operation in operations:
        assert operation([ref]).done == [ref]
    assert told(ref) == ["ParcelsLabelled", "OrderShipped"][-len(operations) :]


# --- Two at once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operations", "most"),
    [
        # Shipments, where the stock is, parcels; addresses; lock, labels, count, all labelled.
        ([create_labels], 7),
        ([create_labels, create_labels], 2),
        ([create_labels, hand_over], 4),  # the parcels, the pivot; shipments, parcels
        ([create_labels, hand_over, hand_over], 1),
        ([create_labels, stop_shipping], 4),
        ([stop_shipping], 3),  # a tombstone: nothing to stop, none known, one is made
        ([create_labels, hand_over, stop_shipping], 3),
    ],
    ids=lambda value: "_".join(op.__name__ for op in value) if isinstance(value, list) else None,
)
def test_a_set_takes_as_few_statements_as_an_order(
    paid: Any, monkeypatch: pytest.MonkeyPatch, operations: Any, most: int
) -> None:
    """The look-ups of what other apps know are counted, too."""
    monkeypatch.setattr(services, "carrier", Decisive)
    *before, operation = operations
    receive_stock([Delivery("A", "NORTH", 100), Delivery("B", "SOUTH", 100)])
    for refs in ([paid()], [paid() for _ in range(50)]):
        for earlier in before:
            earlier(refs)
        with statements() as sent:
            operation(refs)
        assert own(sent, "shipping", "inventory", "orders") == most
