"""Two deliveries, or a cancellation and a hand-over, at the same moment: one of them decides."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest

from shipping import services
from shipping.models import Shipment
from shipping.services import create_labels, hand_over, stop_shipping
from shipping.tests.traces import Decisive, books, parcels, state, told
from tests.threads import at_once


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize(
    "warehouses", [(None, None), ("NORTH", "NORTH"), ("NORTH", "SOUTH"), (None, "SOUTH")]
)
def test_two_at_once_make_each_label_once_and_tell_once(
    transactional_db: None, request: pytest.FixtureRequest, warehouses: tuple[str | None, ...]
) -> None:
    ref = request.getfixturevalue("paid")(postcode="SLOW")  # both ask before either has its answer
    outcomes = at_once(*(partial(create_labels, [ref], warehouse) for warehouse in warehouses))
    # One that asks for the same label may be told that the other is at it: it tries again.
    assert [[*outcome.done, *outcome.faults] for outcome in outcomes] == [[ref], [ref]]
    assert create_labels([ref]).done == [ref]
    assert (books(ref), state(ref)) == (["label"] * 2, "labelled")
    assert told(ref) == ["ParcelsLabelled"]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_two_deliveries_of_one_hand_over_at_once_tell_once(
    transactional_db: None, request: pytest.FixtureRequest
) -> None:
    refs = [request.getfixturevalue("paid")() for _ in range(5)]
    create_labels(refs)
    outcomes = at_once(partial(hand_over, refs), partial(hand_over, refs[::-1]))
    assert [set(outcome.done) for outcome in outcomes] == [set(refs)] * 2
    assert [told(ref).count("OrderShipped") for ref in refs] == [1] * 5


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_hand_over_and_a_cancellation_at_once_agree(
    transactional_db: None, request: pytest.FixtureRequest
) -> None:
    refs = [request.getfixturevalue("paid")() for _ in range(5)]
    create_labels(refs)
    calls = [partial(operation, [ref]) for ref in refs for operation in (hand_over, stop_shipping)]
    at_once(*calls)
    for ref in refs:
        left = state(ref) == "handed_over"
        assert books(ref).count("handover" if left else "void") == 2
        assert told(ref)[1:] in (
            [["OrderShipped", "CancellationRefused"], ["CancellationRefused", "OrderShipped"]]
            if left
            else [["ShippingStopped"]]
        )


def test_a_cancellation_while_the_carrier_is_asked_for_labels_has_the_last_word(
    paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = paid()

    def stop() -> None:
        monkeypatch.setattr(services, "carrier", Decisive)
        assert stop_shipping([ref]).done == [ref]

    monkeypatch.setattr(services, "carrier", lambda: Decisive(stop))
    assert create_labels([ref]).refused == [ref]
    assert (state(ref), parcels(ref), told(ref)) == ("stopped", ["void"] * 2, ["ShippingStopped"])


def test_a_cancellation_between_the_pivot_and_the_carriers_answer_is_refused(
    paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = paid()
    monkeypatch.setattr(services, "carrier", Decisive)
    create_labels([ref])
    monkeypatch.setattr(services, "carrier", lambda: Decisive(lambda: stop_shipping([ref])))
    assert hand_over([ref]).done == [ref]
    assert told(ref) == ["ParcelsLabelled", "CancellationRefused", "OrderShipped"]


def test_an_undo_that_another_delivery_has_finished_is_told_once(
    paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = paid()
    monkeypatch.setattr(services, "carrier", Decisive)
    create_labels([ref])

    def other() -> None:
        monkeypatch.setattr(services, "carrier", Decisive)
        assert stop_shipping([ref]).done == [ref]

    monkeypatch.setattr(services, "carrier", lambda: Decisive(other))
    assert stop_shipping([ref]).done == [ref]
    assert told(ref) == ["ParcelsLabelled", "ShippingStopped"]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_parcels_that_are_planned_in_between_are_stopped_as_well(
    request: pytest.FixtureRequest, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the undo looked for what it has to stop, and before it makes the tombstone."""
    ref = request.getfixturevalue("paid")()
    monkeypatch.setattr(services, "carrier", Decisive)
    states, looks = Shipment.states, iter([True])

    def look(refs: Iterable[Any]) -> Any:
        found = states(refs)
        if next(looks, False):
            at_once(partial(create_labels, [ref]))
        return found

    monkeypatch.setattr(Shipment, "states", look)
    assert stop_shipping([ref]).done == [ref]
    assert told(ref) == ["ParcelsLabelled", "ShippingStopped"]


# --- How many statements --------------------------------------------------------------------------------------------
