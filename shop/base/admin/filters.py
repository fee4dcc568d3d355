"""What lists are filtered by."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst

from shop.messaging import subscriptions
from shop.messaging.events import StepFailed, registry
from shop.messaging.models import AbstractIncident, AbstractOutbox
from shop.messaging.outbox import confirmed_until, unconfirmed


def dated(title: str) -> type[admin.DateFieldListFilter]:
    """By a column of times, under a title that says what they are of."""

    class Dated(admin.DateFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Dated


class StateFilter(admin.SimpleListFilter):
    """By the states that the model's ``State`` names, for a column without choices of its own."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(value, capfirst(str(words))) for value, words in model_admin.model.State.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class StyleFilter(admin.SimpleListFilter):
    title = "style"
    parameter_name = "style"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(style, style) for style in settings.STYLES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(style=self.value()) if self.value() else queryset


class EventTypeFilter(admin.SimpleListFilter):
    """By the event types such a table can hold. Asking the table which it does hold would read all of it."""

    title = "event"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        service = model_admin.opts.app_label
        published = issubclass(model_admin.model, AbstractOutbox | AbstractIncident)
        return [
            (name, name)
            for name, event in sorted(registry.items())
            if (event.owner() == service or event is StepFailed if published else _heard_by(service, name))
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(type=self.value()) if self.value() else queryset


def _heard_by(service: str, event_type: str) -> bool:
    return bool(subscriptions.of(event_type, service=service))


class ConfirmedFilter(admin.SimpleListFilter):
    title = "heard by all"
    parameter_name = "confirmed"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("no", "Not yet"), ("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        service = queryset.model._meta.app_label
        if self.value() == "yes":
            return queryset.filter(due_at__isnull=True, pk__lte=confirmed_until(service))
        return queryset.filter(pk__in=unconfirmed(service).values("pk")) if self.value() == "no" else queryset


class OpenFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", "Still silent"), ("no", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("yes", "no"):
            return queryset.filter(closed_at__isnull=self.value() == "yes")
        return queryset
