"""Notifications in the admin, and the mails as they were sent."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from notifications.models import DeadLetter, Inbox, Incident, Mail, Notification, Outbox
from shop.base.admin.boxes import DeadLetterAdmin, InboxAdmin, IncidentAdmin, OutboxAdmin
from shop.base.admin.cells import NOTHING
from shop.base.admin.rows import OfAnOrderAdmin, ReadOnlyAdmin, as_uuid
from shop.base.policy import with_styles

admin.site.register(Outbox, OutboxAdmin)
admin.site.register(DeadLetter, DeadLetterAdmin)
admin.site.register(Incident, IncidentAdmin)
admin.site.register(Inbox, InboxAdmin)

# In front of a mail's HTML in its frame: it loads nothing and runs nothing, whatever it says.
HARMLESS = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)


@admin.register(Notification)
class NotificationAdmin(OfAnOrderAdmin):
    list_display = ("template", "order", "event", "state", "updated_at")
    list_filter = ("state", "updated_at")
    fields = (
        *("template", "order", "order_id", "event", "state", "sending_since", "updated_at", "message_id"),
        "mail",
    )

    @admin.display(description="mail")
    def mail(self, notification: Notification) -> str:
        mail = Mail.objects.filter(message_id=notification.message_id).first()
        if mail is None:
            return NOTHING
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:notifications_mail_change", args=[mail.pk]), mail
        )


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("subject", "to", "at")
    list_filter = ("at",)
    search_fields = ("subject", "to")
    search_help_text = "An order's number or id, or words of the subject or the receiver."
    fields = ("subject", "to", "at", "message_id", "as_text", "as_html")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Mail], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By order: a mail knows its notification, which knows the order."""
        term = search_term.strip()
        order_id = as_uuid(term)
        of_order = Q(order_id=order_id) if order_id else Q(number=term.upper())
        ids = list(Notification.objects.filter(of_order).values_list("message_id", flat=True)) if term else []
        if ids:
            return queryset.filter(message_id__in=ids), False
        return super().get_search_results(request, queryset, search_term)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A mail keeps its styles beside its words, and a frame has no laxer policy than its page."""
        return with_styles(super().change_view(request, *args, **kwargs))

    @admin.display(description="text")
    def as_text(self, mail: Mail) -> str:
        return format_html("<pre>{}</pre>", mail.text)

    @admin.display(description="HTML")
    def as_html(self, mail: Mail) -> str:
        if not mail.html:
            return NOTHING
        return format_html(
            '<iframe sandbox="" title="The mail" width="640" height="420" srcdoc="{}"></iframe>',
            HARMLESS + mail.html,
        )
