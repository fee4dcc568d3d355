"""An address is corrected while its labels are asked for: no label bears another address than the order says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order
from orders.staff.corrections import CORRECTIONS, correct
from shipping import services
from shipping.carrier import Label, LabelRefused, LabelRequest, carrier
from shipping.holding import AddressHolder
from shipping.models import Parcel, Shipment
from shipping.services import create_labels, hand_over, stop_shipping
from shipping.tests.traces import Decisive, books, state, told
from shop.base.holds import InUse
from shop.messaging.outcomes import Fault
from tests.threads import at_once

ADDRESS = CORRECTIONS["address"]


def to(ref: Any, postcode: str) -> bool:
    """Whether the address could be corrected."""
    order = Order.objects.select_related("saga").get(uuid=ref.id)
    values = {name: getattr(order, name) for name in ADDRESS.fields} | {"postcode": postcode}
    try:
        correct(ADDRESS, order, values)
    except InUse:
        return False
    return True


def withdrawn(ref: Any) -> list[str]:
    """What the carrier did under keys that were withdrawn."""
    keys = " ".join(Parcel.objects.filter(shipment=ref.id).values_list("withdrawn", flat=True)).split()
    return sorted(move.kind for move in carrier().ledger() if move.key in keys)


class Meanwhile:
    """The sandbox's carrier; once it has made labels, and before anybody hears of it, something else happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(carrier(), name)

    def create_labels(
        self, requests: Sequence[LabelRequest]
    ) -> Iterator[dict[str, Label | LabelRefused | Fault]]:
        answers = list(carrier().create_labels(requests))
        self._meanwhile()
        yield from answers


def test_a_label_on_its_way_for_the_old_address_is_void_and_another_made(
    paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = paid()
    with monkeypatch.context() as patch:
        patch.setattr(services, "carrier", lambda: Meanwhile(partial(to, ref, "N2")))
        assert create_labels([ref]).done == []
    assert (state(ref), told(ref), withdrawn(ref)) == ("planned", [], ["label"] * 2)
    assert create_labels([ref]).done == [ref]
    assert hand_over([ref]).done == [ref]
    assert withdrawn(ref) == ["label"] * 2 + ["void"] * 2
    assert books(ref) == ["label"] * 2 + ["handover"] * 2


def test_a_refusal_of_the_old_address_that_comes_late_refuses_nothing(
    paid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = paid(postcode="REFUSE 1")
    with monkeypatch.context() as patch:
        patch.setattr(services, "carrier", lambda: Meanwhile(partial(to, ref, "N2")))
        assert list(create_labels([ref]).faults) == [ref]
    assert create_labels([ref]).done == [ref]
    assert (state(ref), told(ref)) == ("labelled", ["ParcelsLabelled"])


def test_once_a_label_is_made_the_address_stays(paid: Any) -> None:
    ref = paid()
    create_labels([ref], "NORTH")
    assert not to(ref, "N2")
    assert "is made already" in AddressHolder().in_use(ref.id)
    assert Order.objects.get(uuid=ref.id).postcode == "N1"
    assert create_labels([ref]).done == [ref]


def test_what_is_held_off_waits_and_is_stopped_all_the_same(paid: Any) -> None:
    unplanned, planned = paid(), paid(postcode="GARBLED")
    create_labels([planned])
    for ref in (unplanned, planned):
        AddressHolder().hold(ref)
        outcome = create_labels([ref])
        assert str(outcome.faults[ref]) == "Its address is being corrected."
    assert stop_shipping([unplanned, planned]).done == [unplanned, planned]
    for ref in (unplanned, planned):
        assert not AddressHolder().let_go(ref.id)
        assert (state(ref), told(ref)) == ("stopped", ["ShippingStopped"])
    assert withdrawn(planned) == ["void"] * 2


def test_who_dies_while_correcting_holds_nothing_up_for_ever(paid: Any) -> None:
    ref = paid()
    AddressHolder().hold(ref)
    Shipment.objects.filter(pk=ref.id).update(updated_at=timezone.now() - timedelta(seconds=61))
    assert list(create_labels([ref]).faults) == [ref]
    assert create_labels([ref]).done == [ref]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_labels_and_corrections_at_once_agree_on_the_address(
    transactional_db: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = [request.getfixturevalue("paid")() for _ in range(8)]
    asked: dict[str, str] = {}

    class Noting(Decisive):
        def create_labels(self, requests: Any) -> Any:
            asked.update({request.key: request.address.postcode for request in requests})
            return super().create_labels(requests)

    monkeypatch.setattr("shipping.services.carrier", Noting)
    monkeypatch.setattr("shipping.asking.carrier", Noting)
    corrected = at_once(
        *(call for ref in refs for call in (partial(to, ref, "N2"), partial(create_labels, [ref])))
    )[::2]
    for ref, done in zip(refs, corrected, strict=True):
        assert create_labels([ref]).done == [ref]
        postcode = Order.objects.get(uuid=ref.id).postcode
        assert postcode == ("N2" if done else "N1")
        keys = Parcel.objects.filter(shipment=ref.id).values_list("key", flat=True)
        assert {asked[key] for key in keys} == {postcode}
        assert told(ref) == ["ParcelsLabelled"]
