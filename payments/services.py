"""Payments' operations. The intent and its key are stored before the call; no transaction is open during it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from orders.lookups import AmountDue
from payments.events import PaymentFailed, PaymentProcessed, PaymentRefunded
from payments.gateway import Approved, Charge, Declined, Refund, Refunded, gateway
from payments.holding import let_go_of_forgotten
from payments.models import Payment, new_key
from shop.base.holds import BeingCorrected
from shop.base.lookups import ask
from shop.base.per_order import Overtaken, again_if_overtaken
from shop.messaging.events import Event, Ref
from shop.messaging.outcomes import Fault, Outcome
from shop.messaging.recording import recording
from shop.messaging.rows import Row, update

State = Payment.State
# Pending: an unknown outcome. Held: nothing was asked for under its keys, but the provider sees to it that nothing will.
UNSETTLED = (State.PENDING, State.CHARGED, State.HELD)
# The fields of a Charge and a Refund, in their sequence.
CHARGE = ("charge_key", "amount_minor", "currency", "method", "number")
REFUND = ("refund_key", "charge_key")


def take_payment(refs: Sequence[Ref]) -> Outcome:
    """Charge the customer of each order, once, or refuse the order. Undo: ``refund_payment``."""
    charges, states = _store_intents(refs)
    outcome = Outcome()
    for ref in refs:
        if ref.id in states:  # answered before, or an undo came first
            _sort(outcome, ref, states[ref.id])
    asked = {charges[ref.id].key: ref for ref in refs if ref.id in charges}
    for answers in gateway().charge(list(charges.values())):
        outcome.add(_note_charges({asked.pop(key): answer for key, answer in answers.items()}, charges))
    outcome.faults |= {ref: _fault(None) for ref in asked.values()}
    if held := [ref.id for ref in refs if states.get(ref.id) == State.HELD]:
        let_go_of_forgotten(held)
    return outcome


def refund_payment(refs: Sequence[Ref]) -> Outcome:
    """The undo of ``take_payment``: give back what was charged, and see to it that nothing will be."""
    refunds = _stop_charging(refs)
    outcome = Outcome(done=[ref for ref in refs if ref.id not in refunds])
    asked = {refunds[ref.id].key: ref for ref in refs if ref.id in refunds}
    for answers in gateway().refund(list(refunds.values())):
        outcome.add(_note_refunds({asked.pop(key): answer for key, answer in answers.items()}))
    outcome.faults |= {ref: _fault(None) for ref in asked.values()}
    return outcome


def _note_charges(
    answers: Mapping[Ref, Approved | Declined | Fault], charges: Mapping[UUID, Charge]
) -> Outcome:
    """Note what the provider has answered; an order with a fault goes on waiting for its answer."""
    outcome = Outcome()
    clear = {ref: answer for ref, answer in answers.items() if not isinstance(answer, Fault)}
    with recording("payments") as record:
        rows = [_answered(ref.id, answer) for ref, answer in clear.items()]
        moved = update(Payment, rows, only={"state": State.PENDING}, returning=("order_id", "state"))
        states: dict[UUID, str] = dict(moved)
        for ref, answer in clear.items():
            if ref.id in states:
                record.publish(_news(ref, charges[ref.id], answer))
        # Of the others an undo or another delivery was faster, and its word stands; or there is no answer yet.
        states |= Payment.states(ref for ref in answers if ref.id not in states)
    for ref in answers:
        _sort(outcome, ref, states[ref.id], answers[ref])
    return outcome


def _note_refunds(answers: Mapping[Ref, Refunded | Fault]) -> Outcome:
    outcome = Outcome()
    given_back = {ref: answer for ref, answer in answers.items() if not isinstance(answer, Fault)}
    with recording("payments") as record:
        rows = [
            {"order_id": ref.id, "state": State.REFUNDED, "refunded_minor": answer.amount_minor}
            for ref, answer in given_back.items()
        ]
        moved = update(Payment, rows, only={"state": State.REFUNDING}, returning=("order_id", "currency"))
        currencies: dict[UUID, str] = dict(moved)
        for ref, answer in given_back.items():
            if ref.id in currencies:
                currency = currencies[ref.id]
                record.publish(PaymentRefunded(ref=ref, amount_minor=answer.amount_minor, currency=currency))
        # Of the others another delivery was faster, or there is no answer yet.
        states = Payment.states(ref for ref in answers if ref.id not in currencies)
    for ref in answers:
        if states.get(ref.id) == State.REFUNDING:
            outcome.faults[ref] = _fault(answers[ref])
        else:
            outcome.done.append(ref)
    return outcome


@again_if_overtaken
def _store_intents(refs: Sequence[Ref]) -> tuple[dict[UUID, Charge], dict[UUID, str]]:
    """Store the intent to charge for each order, once.

    Returns what is to be charged, since it has no answer yet; and the states of the other orders.
    """
    amounts = ask(AmountDue, [ref.id for ref in refs])
    began = Payment.begin((_intent(ref, amounts[ref.id]) for ref in refs), *CHARGE)
    known = Payment.known((ref for ref in refs if ref.id not in began), "state", *CHARGE)
    if any(ref.id not in began and ref.id not in known for ref in refs):
        raise Overtaken("A payment method was corrected at this very moment.")
    pending = {id: charge for id, (state, *charge) in known.items() if state == State.PENDING}
    charges = {id: Charge(*charge) for id, charge in (began | pending).items()}
    return charges, {id: state for id, (state, *_) in known.items() if id not in charges}


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


def _sort(outcome: Outcome, ref: Ref, state: str, answer: object = None) -> None:
    """Enter what has become of an order's payment into the outcome."""
    if state == State.CHARGED:
        outcome.done.append(ref)
    elif state == State.PENDING:
        outcome.faults[ref] = _fault(answer)
    elif state == State.HELD:
        outcome.faults[ref] = BeingCorrected("Its payment method is being corrected.")
    else:
        outcome.refused.append(ref)


def _answered(order_id: UUID, answer: Approved | Declined) -> Row:
    if isinstance(answer, Approved):
        return {"order_id": order_id, "state": State.CHARGED, "reference": answer.reference, "reason": ""}
    return {"order_id": order_id, "state": State.FAILED, "reference": "", "reason": answer.message[:300]}


def _news(ref: Ref, charge: Charge, answer: Approved | Declined) -> Event:
    if isinstance(answer, Approved):
        return PaymentProcessed(ref=ref, amount_minor=charge.amount_minor, currency=charge.currency)
    return PaymentFailed(ref=ref, code=answer.code, reason=answer.message)


def _fault(answer: object) -> Fault:
    return answer if isinstance(answer, Fault) else Fault("The payment provider gave no answer.")
