from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connections

from inventory.services import reserve_stock
from shipping.carrier import SandboxCarrier, carrier
from shipping.models import Outbox, Parcel, Shipment
from shipping.services import create_label, hand_over, plan_parcels, stop_shipping
from shop.messaging.outcomes import Fault, Outcome


@pytest.fixture
def planned(place_order: Any, outside: Any) -> Any:
    def plan(**placing: Any) -> Any:
        ref = place_order(**placing)
        reserve_stock([ref])
        assert plan_parcels([ref]).done == [ref]
        return ref

    return plan


def told(ref: Any) -> list[str]:
    return list(Outbox.objects.filter(order_id=ref.id).order_by("id").values_list("type", flat=True))


def handed_over(ref: Any) -> int:
    keys = set(Parcel.objects.filter(shipment=ref.id).values_list("key", flat=True))
    return sum(move.kind == "handover" and move.key in keys for move in carrier().ledger())


def test_the_hand_over_waits_for_every_label(planned: Any) -> None:
    ref = planned()
    create_label([ref], "NORTH")
    assert hand_over([ref]).done == []
    assert handed_over(ref) == 0
    create_label([ref], "SOUTH")
    for _ in range(2):
        assert hand_over([ref]).done == [ref]
    assert handed_over(ref) == 2
    assert told(ref).count("OrderShipped") == 1


def test_a_refused_address_voids_the_other_label(planned: Any) -> None:
    ref = planned(postcode="REFUSE")
    assert create_label([ref], "NORTH").refused == [ref]
    assert create_label([ref], "SOUTH").refused == [ref]
    assert set(Parcel.objects.filter(shipment=ref.id).values_list("state", flat=True)) == {"void"}
    assert told(ref).count("ShippingFailed") == 1
    assert hand_over([ref]).refused == [ref]
    assert handed_over(ref) == 0


def test_stopping_voids_what_was_labelled_and_nothing_leaves_later(planned: Any) -> None:
    ref = planned()
    create_label([ref], "NORTH")
    for _ in range(2):
        assert stop_shipping([ref]).done == [ref]
    assert create_label([ref], "SOUTH").refused == [ref]
    assert hand_over([ref]).refused == [ref]
    assert handed_over(ref) == 0
    assert told(ref).count("ShippingStopped") == 1


def test_stopping_first_leaves_a_tombstone(place_order: Any, outside: Any) -> None:
    ref = place_order()
    reserve_stock([ref])
    assert stop_shipping([ref]).done == [ref]
    assert plan_parcels([ref]).refused == [ref]
    assert not Parcel.objects.filter(shipment=ref.id).exists()


def test_past_the_pivot_stopping_is_refused_and_said_once(planned: Any) -> None:
    ref = planned()
    for warehouse in ("NORTH", "SOUTH"):
        create_label([ref], warehouse)
    hand_over([ref])
    for _ in range(2):
        assert stop_shipping([ref]).refused == [ref]
    assert told(ref).count("CancellationRefused") == 1
    assert Shipment.objects.get(pk=ref.id).state == "handed_over"
    assert handed_over(ref) == 2


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_two_deliveries_of_one_parcel_at_once_make_and_tell_of_one_label(
    transactional_db: None, request: pytest.FixtureRequest
) -> None:
    ref = request.getfixturevalue("planned")(
        postcode="SLOW"
    )  # both ask the carrier before either has its answer
    barrier = threading.Barrier(2)

    def label() -> None:
        barrier.wait(10)
        create_label([ref], "NORTH")
        connections.close_all()

    threads = [threading.Thread(target=label) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    key = Parcel.objects.get(shipment=ref.id, warehouse="NORTH").key
    assert [move.kind for move in carrier().ledger() if move.key == key] == ["label"]
    assert told(ref).count("LabelCreated") <= 1
    create_label([ref], "NORTH")  # one of them may have been told that the other is at it
    assert told(ref).count("LabelCreated") == 1


@pytest.mark.parametrize("take_up", [plan_parcels, partial(create_label, warehouse="SOUTH")])
def test_a_refusal_whose_undo_broke_off_is_finished_by_whoever_takes_the_order_up(
    planned: Any, monkeypatch: pytest.MonkeyPatch, take_up: Callable[..., Outcome]
) -> None:
    ref = planned(postcode="REFUSE")
    with monkeypatch.context() as away:
        away.setattr(
            SandboxCarrier, "void", lambda self, keys: {key: Fault("can't be reached") for key in keys}
        )
        assert list(create_label([ref], "NORTH").faults) == [ref]
    assert Shipment.objects.get(pk=ref.id).state == "failing"
    with monkeypatch.context() as not_again:
        not_again.setattr(SandboxCarrier, "_create_label", None)  # it has refused: nothing more is asked for
        assert take_up([ref]).refused == [ref]
    assert Shipment.objects.get(pk=ref.id).state == "failed"
    assert told(ref).count("ShippingFailed") == 1


def test_a_lost_answer_makes_one_label(planned: Any) -> None:
    ref = planned(postcode="LOST")
    assert list(create_label([ref], "NORTH").faults) == [ref]
    assert create_label([ref], "NORTH").done == [ref]
    key = Parcel.objects.get(shipment=ref.id, warehouse="NORTH").key
    assert [move.kind for move in carrier().ledger() if move.key == key] == ["label"]
