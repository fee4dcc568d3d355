from __future__ import annotations

from django.contrib import admin

from payments.models import Inbox, Outbox, Payment
from shop.admin import InboxAdmin, OfAnOrderAdmin, OutboxAdmin, StateFilter, money, order_link

admin.site.register(Outbox, OutboxAdmin)
admin.site.register(Inbox, InboxAdmin)


@admin.register(Payment)
class PaymentAdmin(OfAnOrderAdmin):
    list_display = (
        order_link,
        "state",
        money("amount_minor", "amount"),
        money("refunded_minor", "refunded"),
        "method",
        "reference",
        "reason",
        "updated_at",
    )
    list_filter = (StateFilter, "currency", "updated_at")
    search_also = "reference"
    search_help_text = "An order's number or id, or the provider's reference."
    fields = (
        *(order_link, "order_id", "state", money("amount_minor", "amount"), money("refunded_minor", "refunded")),
        *("method", "reference", "reason", "charge_key", "refund_key", "updated_at"),
    )
