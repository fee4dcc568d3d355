"""The pages of every service's outbox, inbox, incidents and dead letters."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst

from shop.base.admin.cells import BAD, CALM, GOOD, WAIT, shortened, toned, when
from shop.base.admin.filters import (
    ConfirmedFilter,
    EventTypeFilter,
    OpenFilter,
    StateFilter,
    StyleFilter,
    dated,
)
from shop.base.admin.rows import OfAnOrderAdmin, ReadOnlyAdmin
from shop.base.admin.sending import PutsBack, SendsAgain
from shop.base.spans import span
from shop.messaging.models import AbstractDeadLetter, AbstractInbox, AbstractIncident, AbstractOutbox
from shop.messaging.outbox import confirmed_until, of_orders
from shop.messaging.rows import now_in
from shop.messaging.tables import services


class _OfAService:
    """Every service has such a table; a list says whose it is."""

    opts: Any

    def title_of_list(self) -> str:
        return capfirst(f"{self.opts.verbose_name_plural} of {self.opts.app_label}")


class _MessageAdmin(_OfAService, OfAnOrderAdmin):
    ordering = ("-id",)
    nouns = ("event", "events")

    @admin.display(description="payload")
    def pretty_payload(self, row: Any) -> str:
        if row.payload is None:
            return "not kept: it was handled"
        return format_html("<pre>{}</pre>", json.dumps(row.payload, indent=2, ensure_ascii=False))


class OutboxAdmin(_MessageAdmin):
    """A service's outbox: what it published, and whether everybody who hears it has it."""

    list_display = ("type", "order", "confirmed", "taken_up", "due", "style", "created")
    list_display_links = ("type",)
    sortable_by = ("created",)
    list_filter = (ConfirmedFilter, EventTypeFilter, StyleFilter, ("created_at", dated("published")))
    fields = (
        *("type", "order", "order_id", "style", "event_id"),
        *("created", "confirmed", "taken_up", "due", "pretty_payload"),
    )
    nothing_here = "Every event this service publishes is kept here. It has published none yet."

    @admin.display(description="sent again at")
    def due(self, row: AbstractOutbox) -> str:
        return when(row.due_at)

    @admin.display(description="published", ordering="id")  # ids grow with time
    def created(self, row: AbstractOutbox) -> str:
        return when(row.created_at)

    @admin.display(description="taken up by the relay")
    def taken_up(self, row: AbstractOutbox) -> str:
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


class InboxAdmin(SendsAgain, _MessageAdmin):
    """A service's inbox: what its receivers handled, what they fail at, and what waits for a person."""

    list_display = ("receiver", "type", "order", "state_and_time", "short_error", "received")
    list_display_links = ("receiver",)
    sortable_by = ("received",)
    list_filter = (StateFilter, EventTypeFilter, ("received_at", dated("received")))
    fields = (
        *("receiver", "type", "order", "order_id", "event_id", "shown_state", "due"),
        *("error", "received", "pretty_payload"),
    )
    nothing_here = "What this service has heard is noted here. It has heard nothing yet."

    @admin.display(description="error")
    def short_error(self, row: AbstractInbox) -> str:
        return shortened(row.error)

    @admin.display(description="state")
    def shown_state(self, row: AbstractInbox) -> str:
        return toned(
            {row.State.PARKED: BAD, row.State.FAILING: WAIT}.get(row.State(row.state), GOOD), _state(row)
        )

    @admin.display(description="state")
    def state_and_time(self, row: AbstractInbox) -> str:
        if row.state != row.State.FAILING or row.due_at is None:
            return self.shown_state(row)
        return format_html("<div>{}<br>{}</div>", self.shown_state(row), when(row.due_at))

    @admin.display(description="tried again at")
    def due(self, row: AbstractInbox) -> str:
        return when(row.due_at)

    @admin.display(description="received", ordering="id")
    def received(self, row: AbstractInbox) -> str:
        return when(row.received_at)

    def sentence(self, row: AbstractInbox) -> str:
        return f"{row.receiver} on {row.type} of {row.number}: {_state(row)}"

    def of_orders(self, queryset: QuerySet[Any], order_ids: list[Any]) -> QuerySet[Any]:
        """By the orders' events, as no index has an inbox's order once a row is done."""
        events: set[UUID] = set()
        for service in services() if order_ids else ():
            events.update(of_orders(service, order_ids).values_list("event_id", flat=True))
        not_done = ~Q(state=self.model.State.DONE) & Q(order_id__in=order_ids)
        return queryset.filter(Q(event_id__in=events) | not_done) if order_ids else queryset.none()


class IncidentAdmin(_OfAService, OfAnOrderAdmin):
    """Who has not reacted in time to what a service published or commanded."""

    ordering = ("-id",)
    sortable_by = ("receiver", "to_what", "is_open", "since")
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


class DeadLetterAdmin(PutsBack, _OfAService, ReadOnlyAdmin):
    """What came in a service's queue that nothing could be made of."""

    list_display = ("reason", "task", "came", "last_at", "is_whole")
    nothing_here = (
        "A message of this service's queue that nothing can be made of is kept here. There was none."
    )
    search_help_text = "Words of the reason, or the task's name."
    list_filter = (("last_at", dated("came last")),)
    search_fields = ("task", "reason")
    fields = ("reason", "task", "came", "first_at", "last_at", "is_whole", "pretty_message")

    @admin.display(description="came", ordering="times")
    def came(self, row: AbstractDeadLetter) -> str:
        return times(row.times)

    def sentence(self, row: AbstractDeadLetter) -> str:
        return f"{capfirst(row.task or 'a message')}: {row.reason}"

    @admin.display(description="message")
    def pretty_message(self, row: AbstractDeadLetter) -> str:
        return format_html("<pre>{}</pre>", row.message)


def times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _state(row: AbstractInbox) -> str:
    """In words; how often it was tried matters where it failed."""
    tried = f" after {row.attempts} attempt{'' if row.attempts == 1 else 's'}" if row.attempts else ""
    waits = {row.State.PARKED: "parked", row.State.FAILING: "to be tried again"}
    return f"{waits.get(row.State(row.state), 'handled')}{tried if row.state in waits else ''}"
