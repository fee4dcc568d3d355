"""The pages of every service's dead letters."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.text import capfirst

from shop.base.admin.boxes import OfAService, times
from shop.base.admin.buttons import again, chosen, confirmation, confirmed, may_change
from shop.base.admin.foresight import of_dead_letters
from shop.base.admin.rows import ReadOnlyAdmin
from shop.messaging import brokers, dead_letters
from shop.messaging.models import AbstractDeadLetter


class DeadLetterAdmin(OfAService, ReadOnlyAdmin):
    """What came in a service's queue that nothing could be made of."""

    list_display = ("reason", "task", "came", "last_at", "is_whole")
    nothing_here = (
        "A message of this service's queue that nothing can be made of is kept here. There was none."
    )
    search_help_text = "Words of the reason, or the task's name."
    list_filter = ("last_at",)
    search_fields = ("task", "reason")
    fields = ("reason", "task", "came", "first_at", "last_at", "is_whole", "pretty_message")
    actions = ("put_back", "dismiss")

    @admin.display(description="came", ordering="times")
    def came(self, row: AbstractDeadLetter) -> str:
        return times(row.times)

    def sentence(self, row: AbstractDeadLetter) -> str:
        return f"{capfirst(row.task or 'a message')}: {row.reason}"

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
