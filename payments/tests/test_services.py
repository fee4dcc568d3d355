from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
import pytest

from inventory.events import InventoryReserved
from payments import services
from payments.gateway import Approved, Charge, Declined, Movement, Refund, Refunded, gateway
from payments.models import Inbox, Outbox, Payment
from payments.services import refund_payment, take_payment
from shop.messaging.delivery import deliver
from shop.messaging.outcomes import Fault
from tests.statements import own, statements
from tests.threads import at_once


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


class Decisive:
    """A provider that answers everything at once, and lets something else happen before it does."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.meanwhile = meanwhile

    def charge(self, charges: Sequence[Charge]) -> Iterator[dict[str, Approved | Declined | Fault]]:
        self.meanwhile()
        if charges:
            yield {charge.key: Approved(f"ch_{charge.order_number}") for charge in charges}

    def refund(self, refunds: Sequence[Refund]) -> Iterator[dict[str, Refunded | Fault]]:
        self.meanwhile()
        if refunds:
            yield {refund.key: Refunded(1000) for refund in refunds}

    def ledger(self) -> Iterator[Movement]:
        return iter(())


def test_an_undo_while_the_provider_is_asked_has_the_last_word(
    place_order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = place_order()

    def undo() -> None:
        monkeypatch.setattr(services, "gateway", Decisive)
        assert refund_payment([ref]).done == [ref]

    monkeypatch.setattr(services, "gateway", lambda: Decisive(undo))
    assert take_payment([ref]).refused == [ref]
    assert told(ref) == ["PaymentRefunded"]


def test_two_deliveries_of_one_undo_tell_it_once(place_order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = place_order()
    monkeypatch.setattr(services, "gateway", Decisive)
    take_payment([ref])

    def other() -> None:
        monkeypatch.setattr(services, "gateway", Decisive)
        assert refund_payment([ref]).done == [ref]

    monkeypatch.setattr(services, "gateway", lambda: Decisive(other))
    assert refund_payment([ref]).done == [ref]
    assert told(ref) == ["PaymentProcessed", "PaymentRefunded"]


class OneAfterTheOther(Decisive):
    """Gives each answer by itself."""

    def charge(self, charges: Sequence[Charge]) -> Iterator[dict[str, Approved | Declined | Fault]]:
        for charge in charges:
            yield from super().charge([charge])

    def refund(self, refunds: Sequence[Refund]) -> Iterator[dict[str, Refunded | Fault]]:
        for refund in refunds:
            yield from super().refund([refund])


class LeavesOut(Decisive):
    """Gives no answer to the last of a set."""

    def charge(self, charges: Sequence[Charge]) -> Iterator[dict[str, Approved | Declined | Fault]]:
        return super().charge(charges[:-1])

    def refund(self, refunds: Sequence[Refund]) -> Iterator[dict[str, Refunded | Fault]]:
        return super().refund(refunds[:-1])


@pytest.mark.parametrize(
    ("operation", "event"), [(take_payment, "PaymentProcessed"), (refund_payment, "PaymentRefunded")]
)
def test_an_order_whose_answer_is_there_is_recorded_while_another_is_still_at_the_provider(
    place_order: Any, monkeypatch: pytest.MonkeyPatch, operation: Any, event: str
) -> None:
    refs = [place_order(), place_order()]
    if operation is refund_payment:
        monkeypatch.setattr(services, "gateway", Decisive)
        take_payment(refs)
    seen: list[list[bool]] = []
    slow = OneAfterTheOther(lambda: seen.append([event in told(ref) for ref in refs]))
    monkeypatch.setattr(services, "gateway", lambda: slow)
    assert operation(refs).done == refs
    assert seen == [[False, False], [True, False]]
    assert [told(ref).count(event) for ref in refs] == [1, 1]


def test_an_order_is_confirmed_in_the_inbox_with_its_own_answer(
    place_order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = [place_order(), place_order()]
    seen: list[set[Any]] = []
    slow = OneAfterTheOther(lambda: seen.append(set(Inbox.objects.values_list("order_id", flat=True))))
    monkeypatch.setattr(services, "gateway", lambda: slow)
    reserved = [InventoryReserved(ref=ref, warehouses=[]) for ref in refs]
    deliver("payments", InventoryReserved, msgspec.json.encode(reserved).decode())
    assert seen == [set(), {refs[0].id}]
    assert Inbox.objects.filter(state="done").count() == 2


@pytest.mark.parametrize("operation", [take_payment, refund_payment])
def test_an_order_to_which_the_provider_gives_no_answer_is_not_done(
    place_order: Any, monkeypatch: pytest.MonkeyPatch, operation: Any
) -> None:
    refs = [place_order(), place_order()]
    if operation is refund_payment:
        monkeypatch.setattr(services, "gateway", Decisive)
        take_payment(refs)
    monkeypatch.setattr(services, "gateway", LeavesOut)
    outcome = operation(refs)
    assert (outcome.done, list(outcome.faults)) == (refs[:1], refs[1:])


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("seen", [False, True])
def test_a_charge_that_comes_in_between_is_undone_as_well(
    request: pytest.FixtureRequest, transactional_db: None, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    """Just before or after the undo looks for payments there are already."""
    ref = request.getfixturevalue("place_order")()
    monkeypatch.setattr(services, "gateway", Decisive)
    known = Payment.known
    looks: list[Any] = []

    def look(refs: Iterable[Any], *fields: str) -> Any:
        refs = list(refs)
        looks.append(refs)
        found = known(refs, *fields)
        if len(looks) == 1:
            at_once(partial(take_payment, [ref]))
        return known(refs, *fields) if seen else found

    monkeypatch.setattr(Payment, "known", look)
    assert refund_payment([ref]).done == [ref]
    assert told(ref) == ["PaymentProcessed", "PaymentRefunded"]


@pytest.mark.parametrize(
    ("operations", "most"),
    [
        ([take_payment], 2),  # the intent; the answer
        ([take_payment, refund_payment], 2),
        ([refund_payment], 3),  # a tombstone: no payment to undo, none known, one is made
        ([take_payment, take_payment], 2),
        ([refund_payment, take_payment], 2),
    ],
    ids=lambda value: "_".join(op.__name__ for op in value) if isinstance(value, list) else None,
)
def test_a_set_takes_as_few_statements_as_an_order(
    place_order: Any, monkeypatch: pytest.MonkeyPatch, operations: Any, most: int
) -> None:
    monkeypatch.setattr(services, "gateway", Decisive)
    *before, operation = operations
    for refs in ([place_order()], [place_order() for _ in range(50)]):
        for earlier in before:
            earlier(refs)
        with statements() as sent:
            operation(refs)
        assert own(sent, "payments") == most
