"""Another payment method while the payment is taken: nobody is charged twice, and none but the method the order says."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from orders.lookups import AmountDue
from orders.models import Order
from orders.staff.corrections import CORRECTIONS, correct
from payments.gateway import gateway
from payments.holding import MethodHolder
from payments.models import Outbox, Payment
from payments.services import refund_payment, take_payment
from shop.base.holds import InUse, held_off
from tests.threads import at_once

METHOD = CORRECTIONS["payment-method"]


def to(ref: Any, method: str) -> bool:
    """Whether the payment method could be changed."""
    order = Order.objects.select_related("saga").get(uuid=ref.id)
    try:
        correct(METHOD, order, {"payment_method": method})
    except InUse:
        return False
    return True


def charges(ref: Any) -> int:
    return sum(move.kind == "charge" for move in gateway().ledger() if move.order_number == ref.number)


def test_before_the_payment_has_begun_another_method_is_charged_once(place_order: Any, outside: Any) -> None:
    ref = place_order(card="declined")
    assert to(ref, "pm_card_declined_too")
    assert to(ref, "pm_card_approved")  # it may be corrected again
    assert take_payment([ref]).done == [ref]
    assert Payment.objects.get(pk=ref.id).method == "pm_card_approved"


@pytest.mark.parametrize(
    ("card", "why"),
    [("answer_lost", "might be charged twice"), ("approved", "paid already"), ("declined", "was refused")],
)
def test_once_the_payment_has_begun_the_method_stays(
    place_order: Any, outside: Any, card: str, why: str
) -> None:
    """Of a lost answer nobody knows that the customer has been charged."""
    ref = place_order(card=card)
    take_payment([ref])
    before = Payment.objects.values().get(pk=ref.id)
    assert why in MethodHolder().in_use(ref.id)
    assert not to(ref, "pm_card_approved_too")
    assert Payment.objects.values().get(pk=ref.id) == before
    assert Order.objects.get(uuid=ref.id).payment_method == f"pm_card_{card}"


def test_what_is_held_off_waits_and_is_undone_all_the_same(place_order: Any, outside: Any) -> None:
    waiting, undone = place_order(), place_order()
    for ref in (waiting, undone):
        MethodHolder().hold(ref)
        assert str(take_payment([ref]).faults[ref]) == "Its payment method is being corrected."
        with pytest.raises(InUse, match="Somebody is correcting it"):
            MethodHolder().hold(ref)
    assert refund_payment([undone]).done == [undone]
    assert not MethodHolder().let_go(undone.id)
    assert take_payment([undone]).refused == [undone]
    assert Outbox.objects.get(order_id=undone.id).payload["amount_minor"] == 0
    assert MethodHolder().let_go(waiting.id)
    assert take_payment([waiting]).done == [waiting]


def test_an_undo_that_comes_while_it_is_corrected_is_noticed(place_order: Any, outside: Any) -> None:
    undone, waiting = place_order(), place_order()
    for ref in (undone, waiting):
        with held_off(AmountDue, ref) as hold:
            if ref is undone:
                refund_payment([ref])
        assert hold.kept == (ref is waiting)


def test_who_dies_while_correcting_holds_nothing_up_for_ever(place_order: Any, outside: Any) -> None:
    ref = place_order()
    MethodHolder().hold(ref)
    Payment.objects.filter(pk=ref.id).update(updated_at=timezone.now() - timedelta(seconds=61))
    assert list(take_payment([ref]).faults) == [ref]
    assert take_payment([ref]).done == [ref]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_charge_and_another_method_at_once_agree(
    transactional_db: None, request: pytest.FixtureRequest, outside: Any
) -> None:
    refs = [request.getfixturevalue("place_order")() for _ in range(8)]
    calls = [
        call for ref in refs for call in (partial(to, ref, "pm_card_declined"), partial(take_payment, [ref]))
    ]
    for ref, changed in zip(refs, at_once(*calls)[::2], strict=True):
        outcome = take_payment([ref])
        payment = Payment.objects.get(pk=ref.id)
        assert payment.method == Order.objects.get(uuid=ref.id).payment_method
        assert (charges(ref), outcome.done, outcome.refused) == (
            (0, [], [ref]) if changed else (1, [ref], [])
        )
