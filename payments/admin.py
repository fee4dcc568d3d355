"""Payments in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from payments.models import DeadLetter, Inbox, Incident, Outbox, Payment
from shop.base.admin.boxes import DeadLetterAdmin, InboxAdmin, IncidentAdmin, OutboxAdmin
from shop.base.admin.cells import BACK, BAD, GOOD, NOTHING, WAIT, StateColumn, money
from shop.base.admin.filters import StateFilter, dated
from shop.base.admin.rows import OfAnOrderAdmin

admin.site.register(Outbox, OutboxAdmin)
admin.site.register(DeadLetter, DeadLetterAdmin)
admin.site.register(Incident, IncidentAdmin)
admin.site.register(Inbox, InboxAdmin)


State = Payment.State


@admin.register(Payment)
class PaymentAdmin(StateColumn, OfAnOrderAdmin):
    tones = {
        State.PENDING: WAIT,
        State.CHARGED: GOOD,
        State.FAILED: BAD,
        State.REFUNDING: BACK,
        State.REFUNDED: BACK,
        State.HELD: WAIT,
    }
    list_display = (
        *("order", "shown_state", "amount", "refunded", "reason"),
        *("method", "reference", "changed"),
    )
    list_display_links = ("shown_state",)
    list_filter = (StateFilter, ("updated_at", dated("changed")))
    search_also = "reference"
    search_help_text = f"{OfAnOrderAdmin.search_help_text} Or the provider's reference."
    fields = (
        *("order", "order_id", "shown_state", "amount", "refunded", "reason"),
        *("method", "reference", "charge_key", "refund_key", "changed"),
    )
    nothing_here = "The payment of each order stands here from when it is asked for. There is none yet."

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, payment: Payment) -> str:
        return money(payment.amount_minor, payment.currency)

    @admin.display(description="given back", ordering="refunded_minor")
    def refunded(self, payment: Payment) -> str:
        return money(payment.refunded_minor, payment.currency) if payment.refunded_minor else NOTHING

    def words_of(self, row: Any) -> str:
        """Of what was never charged nothing was given back."""
        undone = row.state == State.REFUNDED and not row.refunded_minor
        return str(State.VOID.label) if undone else super().words_of(row)

    def sentence(self, row: Any) -> str:
        amount = f" {money(row.amount_minor, row.currency)}," if row.currency else ""
        return f"Payment of {row.number}:{amount} {self.words_of(row)}"
