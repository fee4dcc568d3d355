"""The pages of every service's outbox, inbox and incidents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst

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
from shop.base.admin.cells import BAD, CALM, GOOD, NOTHING, WAIT, shortened, toned
from shop.base.admin.filters import ConfirmedFilter, EventTypeFilter, OpenFilter, StateFilter, StyleFilter
from shop.base.admin.foresight import of_deliveries
from shop.base.admin.rows import OfAnOrderAdmin
from shop.base.spans import span
from shop.messaging import inbox
from shop.messaging.models import AbstractInbox, AbstractIncident, AbstractOutbox
from shop.messaging.outbox import confirmed_until, of_orders
from shop.messaging.rows import now_in
from shop.messaging.tables import services

SENT = Result(messages.SUCCESS, "It will be tried again now.", "Sent again.")
HANDLED = Result(messages.INFO, "It had been handled already: nothing was done.")


class OfAService:
    """Every service has such a table; a list says whose it is."""

    opts: Any

    def title_of_list(self) -> str:
        return capfirst(f"{self.opts.verbose_name_plural} of {self.opts.app_label}")


class _MessageAdmin(OfAService, OfAnOrderAdmin):
    ordering = ("-id",)
    nouns = ("event", "events")

    @admin.display(description="payload")
    def pretty_payload(self, row: Any) -> str:
        if row.payload is None:
            return "not kept: it was handled"
        return format_html("<pre>{}</pre>", json.dumps(row.payload, indent=2, ensure_ascii=False))


class OutboxAdmin(_MessageAdmin):
    """A service's outbox: what it published, and whether everybody who hears it has it."""

    list_display = ("type", "order", "confirmed", "claims", "due", "style", "created")
    list_display_links = ("type",)
    sortable_by = ("created",)  # there are very many; by anything else, all would be read
    list_filter = (ConfirmedFilter, EventTypeFilter, StyleFilter, "created_at")
    fields = (
        *("type", "order", "order_id", "style", "event_id"),
        *("created_at", "confirmed", "claims", "due", "pretty_payload"),
    )
    nothing_here = "Every event this service publishes is kept here. It has published none yet."

    @admin.display(description="sent again at", empty_value=NOTHING)
    def due(self, row: AbstractOutbox) -> object:
        return row.due_at

    @admin.display(description="published", ordering="id")  # ids grow with time
    def created(self, row: AbstractOutbox) -> object:
        return row.created_at

    @admin.display(description="taken up by the relay")
    def claims(self, row: AbstractOutbox) -> str:
        return times(row.claims) if row.claims else "not needed" if self._is_confirmed(row) else "not yet"

    @admin.display(description="heard by all")
    def confirmed(self, row: AbstractOutbox) -> str:
        return toned(GOOD, "yes") if self._is_confirmed(row) else toned(WAIT, "not yet")

    def _is_confirmed(self, row: AbstractOutbox) -> bool:
        return row.due_at is None and row.pk <= self._position

    def sentence(self, row: AbstractOutbox) -> str:
        heard = "heard by all" if self._is_confirmed(row) else "not yet heard by all"
        return f"{row.type} of {row.number}, {heard}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AbstractOutbox]:
        self._position = confirmed_until(self.opts.app_label)
        return super().get_queryset(request)


class InboxAdmin(_MessageAdmin):
    """A service's inbox: what its receivers handled, what they fail at, and what waits for a person."""

    list_display = ("receiver", "type", "order", "shown_state", "short_error", "due", "received")
    list_display_links = ("receiver",)
    sortable_by = ("received",)
    list_filter = (StateFilter, EventTypeFilter, "received_at")
    fields = (
        *("receiver", "type", "order", "order_id", "event_id", "shown_state", "due"),
        *("error", "received_at", "pretty_payload"),
    )
    actions = ("send_again",)
    nothing_here = "What this service has heard is noted here. It has heard nothing yet."

    @admin.display(description="error")
    def short_error(self, row: AbstractInbox) -> str:
        return shortened(row.error)

    @admin.display(description="state")
    def shown_state(self, row: AbstractInbox) -> str:
        return toned(
            {row.State.PARKED: BAD, row.State.FAILING: WAIT}.get(row.State(row.state), GOOD), _state(row)
        )

    @admin.display(description="tried again at", empty_value=NOTHING)
    def due(self, row: AbstractInbox) -> object:
        return row.due_at

    @admin.display(description="received", ordering="id")
    def received(self, row: AbstractInbox) -> object:
        return row.received_at

    def sentence(self, row: AbstractInbox) -> str:
        return f"{row.receiver} on {row.type} of {row.number}: {_state(row)}"

    def of_orders(self, queryset: QuerySet[Any], order_ids: list[Any]) -> QuerySet[Any]:
        """By the orders' events, as no index has an inbox's order once a row is done."""
        events: set[UUID] = set()
        for service in services() if order_ids else ():
            events.update(of_orders(service, order_ids).values_list("event_id", flat=True))
        not_done = ~Q(state=self.model.State.DONE) & Q(order_id__in=order_ids)
        return queryset.filter(Q(event_id__in=events) | not_done) if order_ids else queryset.none()

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


class IncidentAdmin(OfAService, OfAnOrderAdmin):
    """Who has not reacted in time to what a service published or commanded."""

    ordering = ("-id",)
    list_display = ("receiver", "to_what", "order", "is_open", "silent_for", "since")
    list_display_links = ("receiver",)
    nothing_here = "Who does not react in time to what this service published is noted here. Everybody has."
    list_filter = (OpenFilter, EventTypeFilter, StyleFilter)
    fields = (
        *("receiver", "type", "order", "order_id", "style", "event_id"),
        *("is_open", "silent_for", "since", "expected", "opened_at", "closed_at"),
    )

    @admin.display(description="to", ordering="type")
    def to_what(self, row: AbstractIncident) -> str:
        return row.type

    @admin.display(description="expected within", ordering="within")
    def expected(self, row: AbstractIncident) -> str:
        return f"{row.within:g} s"

    @admin.display(description="silent for")
    def silent_for(self, row: AbstractIncident) -> str:
        return f"{span((row.closed_at or self._now) - row.since)}; expected within {row.within:g} s"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AbstractIncident]:
        self._now = now_in(self.model)
        return super().get_queryset(request)

    @admin.display(description="state", ordering="closed_at")
    def is_open(self, row: AbstractIncident) -> str:
        return toned(BAD, "silent") if row.closed_at is None else toned(CALM, "over")

    def sentence(self, row: AbstractIncident) -> str:
        silent = f"is silent since {span(self._now - row.since)}"
        if row.closed_at:
            silent = f"was silent for {span(row.closed_at - row.since)}"
        return f"{row.receiver} {silent}: {row.type} of {row.number}"


def times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _state(row: AbstractInbox) -> str:
    """In words; how often it was tried matters where it failed."""
    tried = f" after {row.attempts} attempt{'' if row.attempts == 1 else 's'}" if row.attempts else ""
    waits = {row.State.PARKED: "parked", row.State.FAILING: "to be tried again"}
    return f"{waits.get(row.State(row.state), 'handled')}{tried if row.state in waits else ''}"


def _events(count: int) -> str:
    return f"{count} event{'' if count == 1 else 's'}"
