"""Notifications in the admin, and the mails as they were sent."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.clickjacking import xframe_options_sameorigin

from notifications.models import DeadLetter, Inbox, Incident, Mail, Notification, Outbox
from shop.base.admin.boxes import DeadLetterAdmin, InboxAdmin, IncidentAdmin, OutboxAdmin
from shop.base.admin.cells import BAD, GOOD, NOTHING, WAIT, StateColumn, when
from shop.base.admin.filters import StateFilter, dated
from shop.base.admin.rows import OfAnOrderAdmin, ReadOnlyAdmin, order_link
from shop.base.admin.search import orders_meant

admin.site.register(Outbox, OutboxAdmin)
admin.site.register(DeadLetter, DeadLetterAdmin)
admin.site.register(Incident, IncidentAdmin)
admin.site.register(Inbox, InboxAdmin)

# With a mail's HTML: it loads nothing and runs nothing, whatever it says.
HARMLESS = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
KINDS = {"confirmation": "it is on its way", "cancellation": "it is cancelled"}
State = Notification.State


@admin.register(Notification)
class NotificationAdmin(StateColumn, OfAnOrderAdmin):
    tones = {State.PENDING: WAIT, State.SENDING: WAIT, State.SENT: GOOD, State.UNKNOWN: BAD}
    ordering = ("-id",)
    sortable_by = ()
    list_display = ("kind", "order", "shown_state", "changed")
    list_filter = (StateFilter, ("updated_at", dated("changed")))
    fields = (
        *("kind", "order", "order_id", "shown_state", "mail"),
        *("event", "sending_since", "changed", "message_id"),
    )
    nothing_here = "What each customer is told of an order stands here. Nobody was told anything yet."

    def words_of(self, row: Any) -> str:
        return "perhaps sent" if row.state == State.UNKNOWN else super().words_of(row)

    @admin.display(description="what the customer is told", ordering="template")
    def kind(self, notification: Notification) -> str:
        return KINDS.get(notification.template, notification.template)

    @admin.display(description="mail")
    def mail(self, notification: Notification) -> str:
        mail = Mail.objects.filter(message_id=notification.message_id).first()
        if mail is None:
            return NOTHING
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:notifications_mail_change", args=[mail.pk]), mail
        )

    def sentence(self, row: Any) -> str:
        return f"Telling the customer of {row.number} that {self.kind(row)}: {self.words_of(row)}"


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("subject", "to", "sent")
    sortable_by = ("sent",)
    list_filter = (("at", dated("sent")),)
    search_fields = ("to",)
    search_help_text = OfAnOrderAdmin.search_help_text
    fields = ("subject", "to", "order", "sent", "as_html", "as_text", "message_id")
    nothing_here = "Mails to customers are kept here, when the shop has no mail server. There is none yet."

    @admin.display(description="sent", ordering="id")
    def sent(self, mail: Mail) -> str:
        return when(mail.at)

    def found(self, queryset: QuerySet[Mail], term: str) -> QuerySet[Any]:
        """By order: a mail knows its notification, which knows the order."""
        told = Notification.objects.filter(order_id__in=orders_meant(term))
        return queryset.filter(message_id__in=list(told.values_list("message_id", flat=True)))

    def sentence(self, row: Any) -> str:
        return f"Mail to {row.to}: {row.subject}"

    @admin.display(description="order")
    def order(self, mail: Mail) -> str:
        told = Notification.objects.filter(message_id=mail.message_id).first()
        return order_link(told.order_id, told.number) if told else NOTHING

    @admin.display(description="text")
    def as_text(self, mail: Mail) -> str:
        return format_html("<pre>{}</pre>", mail.text)

    @admin.display(description="as it looks")
    def as_html(self, mail: Mail) -> str:
        if not mail.html:
            return NOTHING
        page = reverse("admin:notifications_mail_html", args=[mail.pk])
        return format_html('<iframe sandbox="" title="The mail" src="{}"></iframe>', page)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(xframe_options_sameorigin(self.html))
        return [path("<int:pk>/html/", view, name="notifications_mail_html"), *super().get_urls()]

    def html(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The mail's HTML by itself, for its frame: it has a policy of its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        mail = get_object_or_404(Mail, pk=pk)
        return HttpResponse(mail.html, headers={"Content-Security-Policy": HARMLESS})
