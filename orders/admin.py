from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from orders import services, trouble
from orders.models import Inbox, Order, Outbox, Saga, TimelineEntry
from orders.process import awaited
from orders.saga import resume
from orders.services import Cancellation
from shipping.events import LabelCreated
from shipping.lookups import ParcelWarehouses
from shop.base.admin import (
    InboxAdmin,
    OutboxAdmin,
    ReadOnlyAdmin,
    StyleFilter,
    as_uuid,
    chosen,
    confirmation,
    list_of,
    may_change,
    may_view,
)
from shop.base.lookups import ask
from shop.base.money import show

Status = Order.Status
MOST_ENTRIES = 500  # of a timeline, on one page

LEVELS = {
    Cancellation.REQUESTED: messages.SUCCESS,
    Cancellation.ALREADY_CANCELLED: messages.INFO,
    Cancellation.SHIPPED: messages.ERROR,
}


class AttentionFilter(admin.SimpleListFilter):
    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(kind, words) for kind, (words, _) in trouble.needing_attention().items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        kinds = trouble.needing_attention()
        return queryset.filter(kinds[value][1]) if (value := self.value()) in kinds else queryset


class ProcessFilter(admin.ChoicesFieldListFilter):
    """By the saga's state, under a name that is not taken for the status."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "process"


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    change_form_template = "admin/orders/order/page.html"
    list_display = ("order_number", "status_badge", "style", "order_total", "placed_at", "where_now")
    list_filter = ("status", AttentionFilter, StyleFilter, ("saga__state", ProcessFilter), "placed_at")
    search_fields = ("email",)
    search_help_text = "An order's number, such as S-100042, its id, or an email address."
    fields = ()
    actions = ("cancel_selected", "resume_selected")

    class Media:
        css = {"all": ["orders/admin.css"]}

    @admin.display(description="order", ordering="id")
    def order_number(self, order: Order) -> str:
        return order.number

    @admin.display(description="status", ordering="status")
    def status_badge(self, order: Order) -> str:
        return format_html(
            '<span class="badge badge-{}">{}</span>', order.status, Status(order.status).label.lower()
        )

    @admin.display(description="total", ordering="total_minor")
    def order_total(self, order: Order) -> str:
        return order.total

    @admin.display(description="where it is now")
    def where_now(self, order: Order) -> str:
        level, text = trouble.in_short(order)
        short = text if len(text) <= 120 else f"{text[:119]}…"
        return format_html('<span class="level level-{}">{}</span>', level, short)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        term = search_term.strip()
        if order_id := as_uuid(term):
            return queryset.filter(uuid=order_id), False
        by_number = Order.objects.with_number(term) if term.isascii() else Order.objects.none()
        if term and (found := list(by_number.values_list("pk", flat=True))):
            return queryset.filter(pk__in=found), False
        return super().get_search_results(request, queryset, search_term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("saga")

    # --- The page of one order ---------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        def view(function: Any) -> Any:
            return self.admin_site.admin_view(function)

        return [
            path("find/<uuid:order_id>/", view(self.find), name="orders_order_find"),
            path("<int:pk>/cancel/", view(self.cancel), name="orders_order_cancel"),
            path("<int:pk>/resume/", view(require_POST(self.resume)), name="orders_order_resume"),
            *super().get_urls(),
        ]

    def find(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        """The page of an order known by its id, for links from other services' rows."""
        return HttpResponseRedirect(_page_of(get_object_or_404(Order, uuid=order_id)))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        if order and self.has_view_permission(request, order):
            extra_context = {**(extra_context or {}), **self._page(request, order)}
        return super().change_view(request, object_id, form_url, extra_context)

    def _page(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        now = timezone.now()
        saga = order.saga
        timeline = list(order.timeline.all()[: MOST_ENTRIES + 1])
        findings = trouble.why_it_waits(order)
        return {
            "title": f"Order {order.number}",
            "subtitle": None,
            "order": order,
            "saga": saga,
            "age": trouble.span(now - order.placed_at),
            "took": trouble.span(order.ended_at - order.placed_at) if order.ended_at else "",
            "deadline": trouble.span(abs(saga.deadline - now)) if saga.deadline else "",
            "deadline_passed": bool(saga.deadline and saga.deadline < now),
            "waits_for": "" if saga.state == Saga.State.ENDED else awaited(saga.position).service,
            "forward": trouble.steps_reached(saga),
            "undone": trouble.steps_undone(saga, timeline),
            "timeline": [(entry, trouble.offset(order, entry)) for entry in timeline[:MOST_ENTRIES]],
            "timeline_cut": len(timeline) > MOST_ENTRIES,
            "lines": [
                (
                    line,
                    show(line.price_minor, order.currency),
                    show(line.price_minor * line.quantity, order.currency),
                )
                for line in order.lines.all()
            ],
            "findings": [(finding, _rows_of(request, order, finding)) for finding in findings],
            "elsewhere": _elsewhere(request, order),
            "labels": _labels(request, order, timeline),
            "may_operate": may_change(request, Order),
            "may_cancel": not order.ended
            and not order.cancellation_refused
            and order.status not in (Status.CANCELLING, Status.SHIPPED),
            "may_resume": saga.state != Saga.State.ENDED,
        }

    # --- Buttons -----------------------------------------------------------------------------------------------

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return may_change(request, Order)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._operated(request, pk)
        if request.method != "POST":
            return self._ask_to_cancel(request, [order], [], back=_page_of(order))
        self._cancel(request, [order])
        return HttpResponseRedirect(_page_of(order))

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._operated(request, pk)
        self._resume(request, [order])
        return HttpResponseRedirect(_page_of(order))

    def _operated(self, request: HttpRequest, pk: int) -> Order:
        if not self.has_operate_permission(request):
            raise PermissionDenied
        return get_object_or_404(Order.objects.select_related("saga"), pk=pk)

    @admin.action(description="Cancel the selected orders", permissions=["operate"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        orders = chosen(self, request, queryset)
        if orders and "confirmed" not in request.POST:
            hidden = [("action", "cancel_selected"), *(("_selected_action", order.pk) for order in orders)]
            return self._ask_to_cancel(request, orders, hidden, back=request.get_full_path())
        self._cancel(request, orders)
        return None

    @admin.action(description="Resume the selected orders now", permissions=["operate"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._resume(request, chosen(self, request, queryset))

    def _ask_to_cancel(
        self, request: HttpRequest, orders: Sequence[Order], hidden: Iterable[tuple[str, object]], back: str
    ) -> HttpResponse:
        return confirmation(
            self,
            request,
            title=f"Cancel {orders[0]}" if len(orders) == 1 else f"Cancel {len(orders)} orders",
            question="All that was done will be undone: labels made void, money given back, stock released. What has "
            "been handed over to the carrier stays as it is; shipping decides that at that moment.",
            objects=[f"{order}: {order.status}, {order.total}, {order.style}" for order in orders],
            yes="Yes, cancel",
            back=back,
            hidden=hidden,
        )

    def _cancel(self, request: HttpRequest, orders: Sequence[Order]) -> None:
        answers: Counter[Cancellation] = Counter()
        for order in orders:
            answer = services.request_cancellation(order.uuid, by="staff")
            answers[answer] += 1
            self.log_change(request, order, f"Asked for a cancellation. {answer.value}")
        for answer, count in answers.items():
            self.message_user(
                request, f"{orders[0] if len(orders) == 1 else count}: {answer.value}", LEVELS[answer]
            )

    def _resume(self, request: HttpRequest, orders: Sequence[Order]) -> None:
        waiting = [order for order in orders if order.saga.state != Saga.State.ENDED]
        count = resume([order.uuid for order in waiting])
        for order in waiting:
            self.log_change(request, order, "Resumed.")
        if count:
            what = f"{orders[0]} is" if len(orders) == 1 else f"{count} orders are"
            self.message_user(request, f"{what} taken up again now.", messages.SUCCESS)
        elif orders:
            self.message_user(request, "Nothing was done: there is nothing left to resume.", messages.INFO)


@admin.register(Inbox)
class OrdersInboxAdmin(InboxAdmin):
    def sent_again(self, order_ids: Sequence[UUID]) -> None:
        resume(order_ids)


admin.site.register(Outbox, OutboxAdmin)


def _page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def _rows_of(request: HttpRequest, order: Order, finding: trouble.Finding) -> str:
    """Where the rows are that a finding is about."""
    if not finding.table or not may_view(request, finding.service, finding.table):
        return ""
    return list_of(finding.service, finding.table, order_id=str(order.uuid))


def _elsewhere(request: HttpRequest, order: Order) -> list[tuple[str, str]]:
    """(name, address) of what the services keep of this order; only what this person may see."""
    of_order = {"order_id": str(order.uuid)}
    places = [
        ("Payment", "payments", "payment", of_order),
        ("Reserved stock", "inventory", "reservation", of_order),
        ("Shipment", "shipping", "shipment", of_order),
        ("Parcels", "shipping", "parcel", {"q": str(order.uuid)}),
        ("Notifications", "notifications", "notification", of_order),
        ("Mails", "notifications", "mail", {"q": str(order.uuid)}),
    ]
    return [
        (name, list_of(app, model, **query))
        for name, app, model, query in places
        if may_view(request, app, model)
    ]


def _labels(request: HttpRequest, order: Order, timeline: Iterable[TimelineEntry]) -> list[tuple[str, str]]:
    """(warehouse, address of the PDF) of each parcel, once labels have been made."""
    if not may_view(request, "shipping", "parcel") or all(e.event != LabelCreated.__name__ for e in timeline):
        return []
    planned = ask(ParcelWarehouses, [order.uuid]).get(order.uuid)
    return [
        (warehouse, reverse("admin:shipping_parcel_label_of", args=[order.uuid, warehouse]))
        for warehouse in (planned.codes if planned else ())
    ]
