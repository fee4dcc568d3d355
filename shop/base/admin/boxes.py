"""The pages of every service's outbox, inbox, incidents and dead letters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from shop.base.admin.buttons import (
    Forecast,
    Result,
    again,
    chosen,
    confirmation,
    confirmed,
    keep_act,
    may_change,
    told,
)
from shop.base.admin.cells import NOTHING
from shop.base.admin.filters import ConfirmedFilter, EventTypeFilter, OpenFilter, StyleFilter
from shop.base.admin.foresight import of_dead_letters, of_deliveries
from shop.base.admin.rows import OfAnOrderAdmin, ReadOnlyAdmin
from shop.base.spans import span
from shop.messaging import brokers, dead_letters, inbox
from shop.messaging.models import AbstractDeadLetter, AbstractInbox, AbstractIncident, AbstractOutbox
from shop.messaging.outbox import confirmed_until
from shop.messaging.rows import now_in

SENT = Result(messages.SUCCESS, "It will be tried again now.", "Sent again.")
HANDLED = Result(messages.INFO, "It had been handled already: nothing was done.")


class _MessageAdmin(OfAnOrderAdmin):
    @admin.display(description="payload")
    def pretty_payload(self, row: Any) -> str:
        if row.payload is None:
            return "not kept: it was handled"
        return format_html("<pre>{}</pre>", json.dumps(row.payload, indent=2, ensure_ascii=False))


class OutboxAdmin(_MessageAdmin):
    """A service's outbox: what it published, and whether everybody who hears it has it."""

    list_display = ("type", "order", "style", "created_at", "claims", "due", "confirmed")
    list_filter = (ConfirmedFilter, EventTypeFilter, StyleFilter, "created_at")
    fields = (
        *("type", "order", "order_id", "style", "event_id"),
        *("created_at", "claims", "due_at", "confirmed", "pretty_payload"),
    )

    @admin.display(description="sent again at", ordering="due_at", empty_value=NOTHING)
    def due(self, row: AbstractOutbox) -> object:
        return row.due_at

    @admin.display(description="confirmed", boolean=True)
    def confirmed(self, row: AbstractOutbox) -> bool:
        return row.due_at is None and row.pk <= self._position

    def get_queryset(self, request: HttpRequest) -> QuerySet[AbstractOutbox]:
        self._position = confirmed_until(self.opts.app_label)
        return super().get_queryset(request)


class InboxAdmin(_MessageAdmin):
    """A service's inbox: what its receivers handled, what they fail at, and what waits for a person."""

    list_display = (
        "receiver",
        "type",
        "order",
        "state",
        "attempts",
        "due_at",
        "short_error",
        "received_at",
    )
    list_filter = ("state", EventTypeFilter, "received_at")
    fields = (
        *("receiver", "type", "order", "order_id", "event_id", "state", "attempts", "due_at"),
        *("error", "received_at", "pretty_payload"),
    )
    actions = ("send_again",)

    @admin.display(description="error")
    def short_error(self, row: AbstractInbox) -> str:
        return row.error if len(row.error) <= 80 else f"{row.error[:79]}…"

    def has_send_permission(self, request: HttpRequest) -> bool:
        return may_change(request, self.model)

    @admin.action(description="Send again: first see what would happen", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[AbstractInbox]) -> HttpResponse | None:
        rows = chosen(self, request, queryset)
        if rows and not confirmed(request):
            return confirmation(
                self,
                request,
                title=f"Send {_events(len(rows))} again",
                question="Each receiver gets its event once more, at once, its attempts counted anew.",
                forecasts=self.forecast(rows),
                objects=rows,
                yes="Send again now",
                back=request.get_full_path(),
                hidden=again("send_again", rows),
            )
        waiting = [row for row in rows if row.state != row.State.DONE]
        if inbox.send_again(self.opts.app_label, [row.pk for row in waiting]):
            self.sent_again(sorted({row.order_id for row in waiting}))
        results = []
        for row in rows:
            result = SENT if row in waiting else HANDLED
            if result.act:
                self.log_change(request, row, result.act)
                keep_act(request, row.order_id, f"Sent {row.type} to {row.receiver} again.")
            results.append((row.number, reverse("admin:orders_order_find", args=[row.order_id]), result))
        return told(self, request, "Sent again", results)

    def forecast(self, rows: Sequence[AbstractInbox]) -> list[Forecast]:
        return of_deliveries(rows)

    def sent_again(self, order_ids: Sequence[UUID]) -> None:
        """For the app that has more to wake than its inbox."""


class IncidentAdmin(OfAnOrderAdmin):
    """Who has not reacted in time to what a service published or commanded."""

    list_display = ("receiver", "to_what", "order", "silent_for", "is_open", "since")
    list_filter = (OpenFilter, EventTypeFilter, StyleFilter)
    fields = (
        *("receiver", "type", "order", "order_id", "style", "event_id"),
        *("since", "expected", "opened_at", "closed_at", "silent_for"),
    )

    @admin.display(description="to", ordering="type")
    def to_what(self, row: AbstractIncident) -> str:
        return row.type

    @admin.display(description="expected within", ordering="within")
    def expected(self, row: AbstractIncident) -> str:
        return f"{row.within:g} s"

    @admin.display(description="silent for")
    def silent_for(self, row: AbstractIncident) -> str:
        return f"{span((row.closed_at or self._now) - row.since)}, not {row.within:g} s"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AbstractIncident]:
        self._now = now_in(self.model)
        return super().get_queryset(request)

    @admin.display(description="open", boolean=True, ordering="closed_at")
    def is_open(self, row: AbstractIncident) -> bool:
        return row.closed_at is None


class DeadLetterAdmin(ReadOnlyAdmin):
    """What came in a service's queue that nothing could be made of."""

    list_display = ("reason", "task", "times", "last_at", "is_whole")
    list_filter = ("last_at",)
    search_fields = ("task", "reason")
    fields = ("reason", "task", "times", "first_at", "last_at", "is_whole", "pretty_message")
    actions = ("put_back", "dismiss")

    @admin.display(description="message")
    def pretty_message(self, row: AbstractDeadLetter) -> str:
        return format_html("<pre>{}</pre>", row.message)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return may_change(request, self.model)

    @admin.action(description="Put back into the queue: first see what would happen", permissions=["send"])
    def put_back(self, request: HttpRequest, queryset: QuerySet[AbstractDeadLetter]) -> HttpResponse | None:
        rows = chosen(self, request, queryset)
        if rows and not confirmed(request):
            return confirmation(
                self,
                request,
                title=f"Put {len(rows)} message{'' if len(rows) == 1 else 's'} back into the queue",
                question="A worker takes each as if it had just come.",
                forecasts=of_dead_letters(self.opts.app_label, rows),
                objects=rows,
                yes="Put back now",
                back=request.get_full_path(),
                hidden=again("put_back", rows),
            )
        try:
            sent = dead_letters.send_again(self.opts.app_label, [row.pk for row in rows])
        except brokers.AWAY:
            away = "The broker takes no messages now. What was not put back is still here: try again later."
            self.message_user(request, away, messages.ERROR)
            return None
        if sent:
            self.message_user(request, f"{_messages(sent)} put back into the queue.", messages.SUCCESS)
        if left := len(rows) - sent:
            self.message_user(
                request, f"{_messages(left)} not kept whole: nothing was done.", messages.WARNING
            )
        return None

    @admin.action(description="Dismiss", permissions=["send"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[AbstractDeadLetter]) -> None:
        rows = chosen(self, request, queryset)
        picked = self.model._default_manager.filter(pk__in=[row.pk for row in rows])
        self.log_deletions(request, picked)
        picked.delete()
        self.message_user(request, f"{_messages(len(rows))} dismissed.", messages.SUCCESS)


def _messages(count: int) -> str:
    return f"{count} message{' was' if count == 1 else 's were'}"


def _events(count: int) -> str:
    return f"{count} event{'' if count == 1 else 's'}"
