"""Payments in the admin."""

from __future__ import annotations

from django.contrib import admin

from payments.models import DeadLetter, Inbox, Incident, Outbox, Payment
from shop.base.admin.boxes import DeadLetterAdmin, InboxAdmin, IncidentAdmin, OutboxAdmin
from shop.base.admin.cells import money
from shop.base.admin.filters import StateFilter
from shop.base.admin.rows import OfAnOrderAdmin

admin.site.register(Outbox, OutboxAdmin)
admin.site.register(DeadLetter, DeadLetterAdmin)
admin.site.register(Incident, IncidentAdmin)
admin.site.register(Inbox, InboxAdmin)


@admin.register(Payment)
class PaymentAdmin(OfAnOrderAdmin):
    list_display = (
        "order",
        "state",
        "amount",
        "refunded",
        "method",
        "reference",
        "reason",
        "updated_at",
    )
    list_filter = (StateFilter, "updated_at")
    search_also = "reference"
    search_help_text = "An order's number or id, or the provider's reference."
    fields = (
        *(
            "order",
            "order_id",
            "state",
            "amount",
            "refunded",
        ),
        *("method", "reference", "reason", "charge_key", "refund_key", "updated_at"),
    )

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, payment: Payment) -> str:
        return money(payment.amount_minor, payment.currency)

    @admin.display(description="refunded", ordering="refunded_minor")
    def refunded(self, payment: Payment) -> str:
        return money(payment.refunded_minor, payment.currency)
