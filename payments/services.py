"""Payments' operations. The intent and its key are stored before the call; no transaction is open during it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from orders.lookups import AmountDue
from payments.events import PaymentFailed, PaymentProcessed, PaymentRefunded
from payments.gateway import Approved, Charge, Declined, Refund, Refunded, gateway
from payments.models import Payment, new_key
from shop.base.lookups import ask
from shop.base.per_order import Overtaken, again_if_overtaken
from shop.messaging.events import Event, Ref
from shop.messaging.outcomes import Fault, Outcome
from shop.messaging.recording import recording
from shop.messaging.rows import Row, update

Answer = TypeVar("Answer")

State = Payment.State
UNSETTLED = (State.PENDING, State.CHARGED)  # pending: an unknown outcome
# The fields of a Charge and a Refund, in their sequence.
CHARGE = ("charge_key", "amount_minor", "currency", "method", "number")
REFUND = ("refund_key", "charge_key")


def take_payment(refs: Sequence[Ref]) -> Outcome:
    """Charge the customer of each order, once, or refuse the order. Undo: ``refund_payment``."""
    charges = _store_intents(refs)
    answers = gateway().charge(list(charges.values()))
    clear: dict[UUID, Approved | Declined] = _clear(charges, answers)
    with recording("payments") as record:
        rows = [_answered(id, answer) for id, answer in clear.items()]
        moved = update(Payment, rows, only={"state": State.PENDING}, returning=("order_id", "state"))
        states: dict[UUID, str] = dict(moved)
        for ref in refs:
            if ref.id in states:
                record.publish(_news(ref, charges[ref.id], clear[ref.id]))
        # Of the others an undo or another delivery was faster, and its word stands; or there is no answer yet.
        states |= Payment.states(ref for ref in refs if ref.id not in states)
    outcome = Outcome()
    for ref in refs:
        if states[ref.id] == State.CHARGED:
            outcome.done.append(ref)
        elif states[ref.id] == State.PENDING:
            outcome.faults[ref] = _fault(answers.get(charges[ref.id].key))
        else:
            outcome.refused.append(ref)
    return outcome


def refund_payment(refs: Sequence[Ref]) -> Outcome:
    """The undo of ``take_payment``: give back what was charged, and see to it that nothing will be."""
    refunds = _stop_charging(refs)
    answers = gateway().refund(list(refunds.values()))
    given_back: dict[UUID, Refunded] = _clear(refunds, answers)
    with recording("payments") as record:
        rows = [
            {"order_id": id, "state": State.REFUNDED, "refunded_minor": answer.amount_minor}
            for id, answer in given_back.items()
        ]
        moved = update(Payment, rows, only={"state": State.REFUNDING}, returning=("order_id", "currency"))
        currencies: dict[UUID, str] = dict(moved)
        for ref in refs:
            if ref.id in currencies:
                amount = given_back[ref.id].amount_minor
                record.publish(PaymentRefunded(ref=ref, amount_minor=amount, currency=currencies[ref.id]))
        # Of the others another delivery was faster, or there is no answer yet.
        states = Payment.states(ref for ref in refs if ref.id in refunds and ref.id not in currencies)
    outcome = Outcome()
    for ref in refs:
        if states.get(ref.id) == State.REFUNDING:
            outcome.faults[ref] = _fault(answers.get(refunds[ref.id].key))
        else:
            outcome.done.append(ref)
    return outcome


def _store_intents(refs: Sequence[Ref]) -> dict[UUID, Charge]:
    """Store the intent to charge for each order, once. Returns what is to be charged: it has no answer yet."""
    amounts = ask(AmountDue, [ref.id for ref in refs])
    began = Payment.begin((_intent(ref, amounts[ref.id]) for ref in refs), *CHARGE)
    known = Payment.known((ref for ref in refs if ref.id not in began), "state", *CHARGE)
    pending = {id: charge for id, (state, *charge) in known.items() if state == State.PENDING}
    return {id: Charge(*charge) for id, charge in (began | pending).items()}


@again_if_overtaken
def _stop_charging(refs: Sequence[Ref]) -> dict[UUID, Refund]:
    """See to it that nothing will be charged any more. Returns what the provider has to settle.

    An order without an intent gets the tombstone at once, and that is all there is to tell of it.
    """
    rows = [{"order_id": ref.id, "state": State.REFUNDING} for ref in refs]
    found = update(Payment, rows, only={"state": UNSETTLED}, returning=("order_id", *REFUND))
    refunds = {id: Refund(*refund) for id, *refund in found}
    others = [ref for ref in refs if ref.id not in refunds]
    with recording("payments") as record:
        known = Payment.known(others, "state", *REFUND)
        if any(state in UNSETTLED for state, *_ in known.values()):
            raise Overtaken("A payment was begun at the very moment at which it was to be undone.")
        unknown = [ref for ref in others if ref.id not in known]
        Payment.begin_all([_row(ref, State.VOID) for ref in unknown])
        for ref in unknown:
            record.publish(PaymentRefunded(ref=ref, amount_minor=0))
    unanswered = {id: Refund(*refund) for id, (state, *refund) in known.items() if state == State.REFUNDING}
    return refunds | unanswered


def _intent(ref: Ref, due: AmountDue) -> Row:
    amount = {"amount_minor": due.amount_minor, "currency": due.currency, "method": due.method}
    return {**_row(ref, State.PENDING), **amount}


def _row(ref: Ref, state: str) -> Row:
    keys = {"charge_key": new_key(), "refund_key": new_key()}
    return {"order_id": ref.id, "number": ref.number, "state": state, **keys}


def _clear(
    asked: Mapping[UUID, Charge | Refund], answers: Mapping[str, Answer | Fault]
) -> dict[UUID, Answer]:
    """What the provider has answered, by order; a fault is no answer."""
    return {
        id: answer
        for id, item in asked.items()
        if (answer := answers.get(item.key)) is not None and not isinstance(answer, Fault)
    }


def _answered(order_id: UUID, answer: Approved | Declined) -> Row:
    if isinstance(answer, Approved):
        return {"order_id": order_id, "state": State.CHARGED, "reference": answer.reference, "reason": ""}
    return {"order_id": order_id, "state": State.FAILED, "reference": "", "reason": answer.message[:300]}


def _news(ref: Ref, charge: Charge, answer: Approved | Declined) -> Event:
    if isinstance(answer, Approved):
        return PaymentProcessed(ref=ref, amount_minor=charge.amount_minor, currency=charge.currency)
    return PaymentFailed(ref=ref, code=answer.code, reason=answer.message)


def _fault(answer: object) -> Fault:
    return answer if isinstance(answer, Fault) else Fault("The payment provider has not been asked yet.")
