"""Sending again what waits in a service's boxes, each time after a page that says what would happen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

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
from shop.base.admin.foresight import of_dead_letters, of_deliveries
from shop.messaging import brokers, dead_letters, inbox
from shop.messaging.models import AbstractDeadLetter, AbstractInbox

SENT = Result(messages.SUCCESS, "It will be tried again now.", "Sent again.")
HANDLED = Result(messages.INFO, "It had been handled already: nothing was done.")


class _Sending(admin.ModelAdmin):
    def has_send_permission(self, request: HttpRequest) -> bool:
        return may_change(request, self.model)


class SendsAgain(_Sending):
    """For an inbox: its receivers get their events once more."""

    actions = ("send_again",)

    @admin.action(description="Send again: first see what would happen", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[AbstractInbox]) -> HttpResponse | None:
        rows = chosen(self, request, queryset)
        if rows and not confirmed(request):
            return confirmation(
                self,
                request,
                title=f"Send {len(rows)} event{'' if len(rows) == 1 else 's'} again",
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
        results: list[tuple[object, str, Result]] = []
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


class PutsBack(_Sending):
    """For dead letters: put back into the queue, or dismissed."""

    actions = ("put_back", "dismiss")

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
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = chosen(self, request, queryset)
        picked = self.model._default_manager.filter(pk__in=[row.pk for row in rows])
        self.log_deletions(request, picked)
        picked.delete()
        self.message_user(request, f"{_messages(len(rows))} dismissed.", messages.SUCCESS)


def _messages(count: int) -> str:
    return f"{count} message{' was' if count == 1 else 's were'}"
