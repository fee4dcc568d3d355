from __future__ import annotations

from typing import Any

from payments.gateway import gateway
from payments.models import Outbox, Payment
from payments.services import refund_payment, take_payment


def books(ref: Any) -> list[tuple[str, int]]:
    payment = Payment.objects.get(pk=ref.id)
    keys = {payment.charge_key, payment.refund_key}
    return [(move.kind, move.amount_minor) for move in gateway().ledger() if move.key in keys]


def told(ref: Any) -> list[str]:
    return list(Outbox.objects.filter(order_id=ref.id).order_by("id").values_list("type", flat=True))


def test_an_approved_card_is_charged_once_however_often_it_is_asked(place_order: Any, outside: Any) -> None:
    ref = place_order()
    for _ in range(3):
        assert take_payment([ref]).done == [ref]
    assert books(ref) == [("charge", 1000)]
    assert told(ref) == ["PaymentProcessed"]


def test_a_declined_card_is_a_refusal_told_once(place_order: Any, outside: Any) -> None:
    ref = place_order(card="declined")
    for _ in range(2):
        assert take_payment([ref]).refused == [ref]
    assert books(ref) == []
    assert told(ref) == ["PaymentFailed"]


def test_a_lost_answer_is_asked_for_under_the_same_key(place_order: Any, outside: Any) -> None:
    ref = place_order(card="answer_lost")
    assert list(take_payment([ref]).faults) == [ref]
    assert told(ref) == []
    assert take_payment([ref]).done == [ref]
    assert books(ref) == [("charge", 1000)]


def test_a_fault_of_one_order_is_its_own(place_order: Any, outside: Any) -> None:
    good, broken, bad = place_order(), place_order(card="provider_down"), place_order(card="declined")
    outcome = take_payment([good, broken, bad])
    assert (outcome.done, outcome.refused, list(outcome.faults)) == ([good], [bad], [broken])


def test_a_refund_gives_back_what_was_charged_once(place_order: Any, outside: Any) -> None:
    ref = place_order()
    take_payment([ref])
    for _ in range(2):
        assert refund_payment([ref]).done == [ref]
    assert sum(amount for _, amount in books(ref)) == 0
    assert told(ref) == ["PaymentProcessed", "PaymentRefunded"]
    assert take_payment([ref]).refused == [ref]
    assert sum(amount for _, amount in books(ref)) == 0


def test_a_refund_before_any_charge_leaves_a_tombstone(place_order: Any, outside: Any) -> None:
    ref = place_order()
    assert refund_payment([ref]).done == [ref]
    assert take_payment([ref]).refused == [ref]
    assert books(ref) == []
    assert told(ref) == ["PaymentRefunded"]


def test_a_refund_settles_a_charge_whose_answer_is_unknown(place_order: Any, outside: Any) -> None:
    ref = place_order(card="answer_lost")
    take_payment([ref])
    assert refund_payment([ref]).done == [ref]
    assert sum(amount for _, amount in books(ref)) == 0
    assert Payment.objects.get(pk=ref.id).refunded_minor == 1000


def test_a_refused_payment_needs_no_refund_and_stays_refused(place_order: Any, outside: Any) -> None:
    ref = place_order(card="declined")
    take_payment([ref])
    assert refund_payment([ref]).done == [ref]
    assert Payment.objects.get(pk=ref.id).state == "failed"
    assert told(ref) == ["PaymentFailed"]


def test_with_the_provider_gone_the_intent_stays_and_nothing_is_told(place_order: Any, settings: Any) -> None:
    settings.PAYMENTS_URL = "http://127.0.0.1:9"
    ref = place_order()
    assert list(take_payment([ref]).faults) == [ref]
    assert Payment.objects.get(pk=ref.id).state == "pending"
    assert told(ref) == []
