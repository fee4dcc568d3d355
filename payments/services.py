"""Payments' operations. The intent and its key are stored before the call; no transaction is open during it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from orders.lookups import AmountDue
from payments.events import PaymentFailed, PaymentProcessed, PaymentRefunded
from payments.gateway import Approved, Charge, Declined, Refund, Refunded, gateway
from payments.models import Payment
from shop.base.bulk import save_all
from shop.base.databases import alias_of
from shop.base.lookups import ask
from shop.messaging.events import Ref
from shop.messaging.outcomes import Fault, Outcome
from shop.messaging.recording import recording

State = Payment.State


def take_payment(refs: Sequence[Ref]) -> Outcome:
    """Charge the customer of each order, once, or refuse the order. Undo: ``refund_payment``."""
    rows = _store_intents(refs)
    due = [rows[ref.id] for ref in refs if rows[ref.id].state == State.PENDING]
    answers = gateway().charge(
        [Charge(row.charge_key, row.amount_minor, row.currency, row.method, row.number) for row in due]
    )
    outcome = Outcome()
    with recording("payments") as record:
        rows = Payment.claim(refs)
        for ref in refs:
            row = rows[ref.id]
            answer = answers.get(row.charge_key)
            if row.state == State.PENDING:  # else an undo or another delivery was faster; its word stands
                if isinstance(answer, Approved):
                    row.state, row.reference = State.CHARGED, answer.reference
                    record.publish(
                        PaymentProcessed(ref=ref, amount_minor=row.amount_minor, currency=row.currency)
                    )
                elif isinstance(answer, Declined):
                    row.state, row.reason = State.FAILED, answer.message[:300]
                    record.publish(PaymentFailed(ref=ref, code=answer.code, reason=answer.message))
                else:
                    outcome.faults[ref] = answer or Fault("The payment provider has not been asked yet.")
            if row.state == State.CHARGED:
                outcome.done.append(ref)
            elif row.state != State.PENDING:
                outcome.refused.append(ref)
        save_all(rows.values(), ["state", "reference", "reason"])
    return outcome


def refund_payment(refs: Sequence[Ref]) -> Outcome:
    """The undo of ``take_payment``: give back what was charged, and see to it that nothing will be."""
    with recording("payments") as record:
        rows = Payment.claim(refs)
        for ref in refs:
            row = rows[ref.id]
            if row.state == State.NEW:
                row.state = State.VOID
                record.publish(PaymentRefunded(ref=ref, amount_minor=0))
            elif row.state in (
                State.PENDING,
                State.CHARGED,
            ):  # pending: an unknown outcome; the provider settles it
                row.state = State.REFUNDING
        save_all(rows.values(), ["state"])
    due = [rows[ref.id] for ref in refs if rows[ref.id].state == State.REFUNDING]
    answers = gateway().refund([Refund(row.refund_key, row.charge_key) for row in due])
    outcome = Outcome()
    with recording("payments") as record:
        rows = Payment.claim(refs)
        for ref in refs:
            row = rows[ref.id]
            answer = answers.get(row.refund_key)
            if row.state == State.REFUNDING:
                if isinstance(answer, Refunded):
                    row.state, row.refunded_minor = State.REFUNDED, answer.amount_minor
                    record.publish(
                        PaymentRefunded(ref=ref, amount_minor=answer.amount_minor, currency=row.currency)
                    )
                else:
                    outcome.faults[ref] = answer or Fault("The payment provider has not been asked yet.")
                    continue
            outcome.done.append(ref)
        save_all(rows.values(), ["state", "refunded_minor"])
    return outcome


def _store_intents(refs: Sequence[Ref]) -> dict[UUID, Payment]:
    amounts = ask(AmountDue, [ref.id for ref in refs])
    with transaction.atomic(using=alias_of("payments")):
        rows = Payment.claim(refs)
        fresh = [row for row in rows.values() if row.state == State.NEW]
        for row in fresh:
            due: AmountDue = amounts[row.order_id]
            row.state = State.PENDING
            row.amount_minor, row.currency, row.method = due.amount_minor, due.currency, due.method
        save_all(fresh, ["state", "amount_minor", "currency", "method"])
    return rows
