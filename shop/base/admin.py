"""What all admin pages share: what may not be edited by hand, money, and every service's outbox and inbox."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from shop.base.money import show
from shop.messaging import inbox, subscriptions
from shop.messaging.events import StepFailed, registry
from shop.messaging.models import AbstractInbox, AbstractOutbox

admin.site.site_header = "Shop"
admin.site.site_title = "Shop"
admin.site.index_title = "Orders, and what each service did for them"

NOTHING = "-"
MOST_AT_ONCE = 200  # rows one press of a button moves

M = TypeVar("M", bound=Model)


def may_change(request: HttpRequest, model: type[Model]) -> bool:
    """Whether this person may press buttons that change rows of the model, though nobody may edit them by hand."""
    return request.user.has_perm(f"{model._meta.app_label}.change_{model._meta.model_name}")


def may_view(request: HttpRequest, app: str, model: str) -> bool:
    return request.user.has_perm(f"{app}.view_{model}") or request.user.has_perm(f"{app}.change_{model}")


def money(amount_minor: int, currency: str) -> str:
    """An amount for people; a row that never came to an amount has no currency either."""
    return show(amount_minor, currency) if currency else NOTHING


def list_of(app: str, model: str, **query: str) -> str:
    """The address of a list, filtered."""
    return f"{reverse(f'admin:{app}_{model}_changelist')}?{urlencode(query)}"


def chosen(model_admin: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[M]) -> list[M]:
    """What an action is for; none, and a message, if that is more than one press of a button should move."""
    rows = list(queryset[: MOST_AT_ONCE + 1])
    if len(rows) <= MOST_AT_ONCE:
        return rows
    text = f"Nothing was done: choose at most {MOST_AT_ONCE} at once."
    model_admin.message_user(request, text, messages.ERROR)
    return []


def confirmation(model_admin: admin.ModelAdmin, request: HttpRequest, **said: object) -> TemplateResponse:
    """A page that asks before it is done; the answer comes back to the same address with ``confirmed``.

    ``said``: title, question, objects (what it is done to), yes (the button), back (an address), hidden (the form's
    other fields, as pairs).
    """
    context = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, **said}
    return TemplateResponse(request, "admin/shop/confirm.html", context)


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class ReadOnlyAdmin(admin.ModelAdmin):
    """For rows that the services keep: a hand edit would break a promise, so there is none, for nobody."""

    list_per_page = 50
    show_full_result_count = False  # a second count over the whole table, for one number

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OfAnOrderAdmin(ReadOnlyAdmin):
    """For rows that belong to an order: they are searched by its number or id."""

    search_fields: ClassVar[tuple[str, ...]] = ("number",)
    search_help_text = "An order's number, such as S-100042, or its id."
    search_path: ClassVar[str] = ""  # the relation that leads to the row with the order
    search_also: ClassVar[str] = ""  # one more column that is searched as it is

    @admin.display(description="order", ordering="number")
    def order(self, row: Any) -> str:
        """The order's number, leading to its page."""
        page = reverse("admin:orders_order_find", args=[row.order_id])
        return format_html('<a href="{}">{}</a>', page, row.number)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if order_id := as_uuid(term):
            return queryset.filter(**{f"{self.search_path}order_id": order_id}), False
        wanted = Q(**{f"{self.search_path}number": term.upper()})
        if self.search_also:
            wanted |= Q(**{self.search_also: term})
        return queryset.filter(wanted), False


class StateFilter(admin.SimpleListFilter):
    """By the states that the model's ``State`` names, for a column without choices of its own."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return list(model_admin.model.State.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class EventTypeFilter(admin.SimpleListFilter):
    """By the event types an outbox or inbox can hold. Asking the table which it does hold would read all of it."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        service = model_admin.opts.app_label
        published = issubclass(model_admin.model, AbstractOutbox)
        return [
            (name, name)
            for name, event in sorted(registry.items())
            if (event.owner() == service or event is StepFailed if published else heard_by(service, name))
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(type=self.value()) if self.value() else queryset


def heard_by(service: str, event_type: str) -> bool:
    return bool(subscriptions.of(event_type, service=service))


class StyleFilter(admin.SimpleListFilter):
    title = "style"
    parameter_name = "style"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(style, style) for style in settings.STYLES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(style=self.value()) if self.value() else queryset


class ConfirmedFilter(admin.SimpleListFilter):
    title = "confirmed"
    parameter_name = "confirmed"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("no", "Not yet"), ("yes", "By all who hear it")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("yes", "no"):
            return queryset.filter(confirmed_at__isnull=self.value() == "no")
        return queryset


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
        *("created_at", "claims", "due", "confirmed_at", "pretty_payload"),
    )

    @admin.display(description="sent again at", ordering="due_at", empty_value=NOTHING)
    def due(self, row: AbstractOutbox) -> object:
        return None if row.confirmed_at else row.due_at

    @admin.display(description="confirmed", boolean=True, ordering="confirmed_at")
    def confirmed(self, row: AbstractOutbox) -> bool:
        return row.confirmed_at is not None


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

    @admin.action(description="Send again: let the receiver try once more, now", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[AbstractInbox]) -> None:
        rows = chosen(self, request, queryset)
        sent = inbox.send_again(self.opts.app_label, [row.pk for row in rows])
        if sent:
            self.sent_again(sorted({row.order_id for row in rows if row.state != row.State.DONE}))
            for row in rows:
                if row.state != row.State.DONE:
                    self.log_change(request, row, "Sent again.")
            self.message_user(request, f"{events(sent)} will be tried again now.", messages.SUCCESS)
        if left := len(rows) - sent:
            self.message_user(
                request, f"{events(left)} had been handled already: nothing was done.", messages.INFO
            )

    def sent_again(self, order_ids: Sequence[UUID]) -> None:
        """For the app that has more to wake than its inbox."""


def events(count: int) -> str:
    return f"{count} event{'' if count == 1 else 's'}"
