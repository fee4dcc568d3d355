"""Webhooks in the admin: where customers are told, and what came of it. The secret is on no page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from orders.webhooks.registering import pause, resume, send_again
from shop.base.admin.buttons import Result, chosen, may_change, told
from shop.base.admin.cells import (
    BAD,
    CALM,
    GOOD,
    NOTHING,
    WAIT,
    StateColumn,
    in_words,
    shortened,
    toned,
    when,
)
from shop.base.admin.filters import StateFilter
from shop.base.admin.rows import OfAnOrderAdmin, ReadOnlyAdmin, order_link

State = WebhookEndpoint.State


def _endpoint(row: WebhookDelivery) -> WebhookEndpoint | None:
    """None: it was deleted in the moment in which this was made."""
    try:
        return row.endpoint
    except WebhookEndpoint.DoesNotExist:
        return None


def _failing_since(endpoint: WebhookEndpoint) -> datetime | None:
    """Of one that is told all the same."""
    return endpoint.failing_since if endpoint.state == State.ON else None


class _Pressed(StateColumn, ReadOnlyAdmin):
    """Rows that have buttons, for those who may press them."""

    def has_press_permission(self, request: HttpRequest) -> bool:
        return may_change(request, self.model)

    def pressed(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        title: str,
        act: Callable[[Any], bool],
        *words: str,
    ) -> HttpResponse | None:
        """``words``: what is said where it did something, and where there was nothing to do."""
        results = []
        for row in chosen(self, request, queryset):
            done = act(row)
            if done:
                self.log_change(request, row, title)
            page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
            level = messages.SUCCESS if done else messages.INFO
            results.append((row, page, Result(level, words[0] if done else words[1])))
        return told(self, request, title, results)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(_Pressed):
    tones = {State.ON: GOOD, State.PAUSED: CALM, State.DISABLED: BAD}
    list_display = ("address", "customer_id", "shown_state", "registered")
    sortable_by = ()
    list_filter = (StateFilter,)
    search_fields = ("url",)
    search_help_text = "A part of the URL."
    fields = (
        "address",
        "customer_id",
        "told",
        "shown_state",
        "reason",
        "rests",
        "registered",
        "messages",
    )
    actions = ("pause", "resume")
    nothing_here = (
        "A customer who wants a server told of their orders' changes registers it over the API. None has."
    )

    @admin.display(description="URL", ordering="url")
    def address(self, endpoint: WebhookEndpoint) -> str:
        return shortened(endpoint.url)

    @admin.display(description="is told")
    def told(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.kinds) or "everything"

    @admin.display(description="state")
    def shown_state(self, row: WebhookEndpoint) -> str:
        return toned(WAIT if _failing_since(row) else self.tones[State(row.state)], self.words_of(row))

    def words_of(self, row: WebhookEndpoint) -> str:
        words = super().words_of(row)
        since = _failing_since(row)
        return f"{words}, but fails since {in_words(since)}" if since else words

    @admin.display(description="left alone until")
    def rests(self, endpoint: WebhookEndpoint) -> str:
        return when(endpoint.resting_until)

    @admin.display(description="registered")
    def registered(self, endpoint: WebhookEndpoint) -> str:
        return when(endpoint.created_at)

    @admin.display(description="messages")
    def messages(self, endpoint: WebhookEndpoint) -> str:
        page = reverse("admin:orders_webhookdelivery_changelist")
        return format_html('<a href="{}?endpoint__id__exact={}">what it was told</a>', page, endpoint.pk)

    def sentence(self, row: Any) -> str:
        return f"Webhook of customer {row.customer_id}: {self.words_of(row)}"

    @admin.action(description="Pause: tell it nothing until it is resumed", permissions=["press"])
    def pause(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> HttpResponse | None:
        by = request.user.get_username()
        words = ("It is told nothing until it is resumed.", "It was told nothing already.")
        return self.pressed(request, queryset, "Paused webhooks", lambda row: pause(row, by), *words)

    @admin.action(description="Resume: tell it again, and what waits for it at once", permissions=["press"])
    def resume(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> HttpResponse | None:
        words = ("It is told again, and what waits for it at once.", "It was on already.")
        return self.pressed(request, queryset, "Resumed webhooks", resume, *words)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(_Pressed, OfAnOrderAdmin):
    tones = {
        WebhookDelivery.State.WAITING: WAIT,
        WebhookDelivery.State.SENDING: WAIT,
        WebhookDelivery.State.DELIVERED: GOOD,
        WebhookDelivery.State.FAILED: BAD,
    }
    ordering = ("-id",)
    sortable_by = ()
    list_display = ("kind", "order", "shown_state", "tries", "answer", "tried", "due")
    list_filter = (StateFilter,)
    fields = (
        *("kind", "order", "status", "sequence", "webhook", "shown_state", "tries", "answer", "tried", "due"),
        *("happened", "message_id"),
    )
    actions = ("send_again",)
    nothing_here = (
        "Each change of an order whose customer has a webhook becomes a message here. There is none yet."
    )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "endpoint__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="order", ordering="order_id")
    def order(self, row: WebhookDelivery) -> str:
        return order_link(row.order_id, row.number) if row.order_id else NOTHING

    @admin.display(description="attempts")
    def tries(self, row: WebhookDelivery) -> str:
        return str(row.attempts)

    @admin.display(description="last answer")
    def answer(self, row: WebhookDelivery) -> str:
        return row.trouble or str(row.status_code or NOTHING)

    @admin.display(description="last tried")
    def tried(self, row: WebhookDelivery) -> str:
        return when(row.tried_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        # No join: that would leave out what was made in the moment in which its endpoint was deleted.
        found: QuerySet[WebhookDelivery] = super().get_queryset(request).prefetch_related("endpoint")
        return found.annotate(now=Now())

    @admin.display(description="sent next")
    def due(self, row: Any) -> str:  # a WebhookDelivery with `now`
        endpoint = _endpoint(row)
        if endpoint is None or row.state != row.State.WAITING:
            return NOTHING
        if endpoint.state != State.ON:
            return "once its webhook is resumed"
        at = row.next_at()
        return when(at) if at and at > row.now else "now"

    @admin.display(description="happened")
    def happened(self, row: WebhookDelivery) -> str:
        return when(row.happened_at)

    @admin.display(description="webhook")
    def webhook(self, row: WebhookDelivery) -> str:
        endpoint = _endpoint(row)
        if endpoint is None:
            return NOTHING
        page = reverse("admin:orders_webhookendpoint_change", args=[endpoint.pk])
        return format_html('<a href="{}">{}</a>', page, shortened(endpoint.url))

    def sentence(self, row: Any) -> str:
        return f"Telling a customer's server of {row}: {self.words_of(row)}"

    @admin.action(description="Send again", permissions=["press"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> HttpResponse | None:
        words = ("It is sent in a moment, under the same id.", "It is being sent.")
        return self.pressed(request, queryset, "Sent webhooks again", send_again, *words)
