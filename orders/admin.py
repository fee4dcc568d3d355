"""Orders in the admin: their list and pages, and what the service published and heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html

from orders import search
from orders.models import DeadLetter, Inbox, Incident, Order, Outbox
from orders.process import OPERATIONS
from orders.saga import resume
from orders.staff.actions import forecast
from orders.staff.operating import Operating
from orders.telling import order_page, trouble
from orders.telling.live import order_pages
from orders.telling.situation import badge, elsewhere
from orders.webhooks import admin as webhooks_admin  # noqa: F401  (registers its pages)
from shop.base.admin.boxes import DeadLetterAdmin, InboxAdmin, IncidentAdmin, OutboxAdmin
from shop.base.admin.buttons import Forecast
from shop.base.admin.cells import when
from shop.base.admin.filters import StyleFilter, dated
from shop.base.admin.rows import OfAnOrderAdmin
from shop.base.spans import span
from shop.messaging import subscriptions
from shop.messaging.models import AbstractInbox


class AttentionFilter(admin.SimpleListFilter):
    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [*trouble.ATTENTION.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        kind = self.value()
        return queryset.filter(trouble.needing(kind)) if kind in trouble.ATTENTION else queryset


class ProcessFilter(admin.ChoicesFieldListFilter):
    """By the saga's state, under a name that is not taken for the status."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "process"


@admin.register(Order)
class OrderAdmin(Operating):
    change_form_template = "admin/orders/order/page.html"
    list_display = (
        "order_number",
        "status_badge",
        "where_now",
        "order_total",
        "customer",
        "style",
        "placed_on",
    )
    list_filter = (
        "status",
        AttentionFilter,
        StyleFilter,
        ("saga__state", ProcessFilter),
        ("placed_at", dated("placed at")),
    )
    sortable_by = ("order_number", "placed_on")  # no index has the rest, and rows are many
    search_fields = ("email",)
    search_help_text = OfAnOrderAdmin.search_help_text
    again = 5
    nothing_here = "Orders stand here from when they are placed. None was yet."
    fields = ()

    class Media:
        css = {"all": ["shop/actions.css", "orders/admin.css"]}

    @admin.display(description="order", ordering="id")
    def order_number(self, order: Order) -> str:
        return order.number

    @admin.display(description="status", ordering="status")
    def status_badge(self, order: Order) -> str:
        return format_html('<span class="pill {}">{}</span>', *badge(order, self._around))

    @admin.display(description="total", ordering="total_minor")
    def order_total(self, order: Order) -> str:
        return order.total

    @admin.display(description="customer")
    def customer(self, order: Order) -> str:
        return order.name or "erased"

    @admin.display(description="placed at", ordering="id")  # ids grow with time
    def placed_on(self, order: Order) -> str:
        return when(order.placed_at)

    @admin.display(description="where it is now")
    def where_now(self, order: Order) -> str:
        level, text = trouble.in_short(order, self._around)
        if order.ended_at and not text:
            text = f"took {span(order.ended_at - order.placed_at)}"
        short = text if len(text) <= 120 else f"{text[:119]}…"
        return format_html('<span class="level {}">{}</span>', level, short)

    def found(self, queryset: QuerySet[Order], term: str) -> QuerySet[Order]:
        return search.found(queryset, term)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """The control room leads to the orders that are parked for one reason."""
        return lookup.startswith("saga__last_error__") or super().lookup_allowed(lookup, value, request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse | HttpResponse:
        self._around = elsewhere()
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("saga")

    # --- The page of one order ---------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        def view(function: Any) -> Any:
            return self.admin_site.admin_view(function)

        return [
            path("find/<uuid:order_id>/", view(self.find), name="orders_order_find"),
            path("<int:pk>/stream/", view(self.stream), name="orders_order_stream"),
            *super().get_urls(),
        ]

    def find(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        """The page of an order known by its id, for links from other services' rows."""
        return HttpResponseRedirect(order_page.address_of(get_object_or_404(Order, uuid=order_id)))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        if order and self.has_view_permission(request, order):
            extra_context = {**(extra_context or {}), **order_page.shown(request, order)}
        return super().change_view(request, object_id, form_url, extra_context)

    def stream(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Tells the page of one order when it has changed."""
        if not self.has_view_permission(request, get_object_or_404(Order, pk=pk)):
            raise PermissionDenied
        return order_pages.stream(request, pk)


def _has_others_act(row: AbstractInbox) -> bool:
    subs = subscriptions.of(row.type, service=row._meta.app_label)
    mine = [sub for sub in subs if sub.receiver == row.receiver and not sub.noted_in]
    return bool(mine) and row.receiver not in OPERATIONS


@admin.register(Inbox)
class OrdersInboxAdmin(InboxAdmin):
    def forecast(self, rows: Sequence[AbstractInbox]) -> list[Forecast]:
        """Most of its receivers only have others act: on what the order waits for."""
        orders = Order.objects.select_related("saga").filter(uuid__in=[row.order_id for row in rows])
        known = {order.uuid: order for order in orders}
        found = super().forecast(rows)
        for index, row in enumerate(rows):
            if row.order_id in known and row.state != row.State.DONE and _has_others_act(row):
                ((_, runs, effects),) = forecast([known[row.order_id]])
                found[index] = replace(
                    found[index], runs=f"{found[index].runs}; then {runs}", effects=effects
                )
        return found

    def sent_again(self, order_ids: Sequence[UUID]) -> None:
        resume(order_ids)


admin.site.register(Outbox, OutboxAdmin)
admin.site.register(DeadLetter, DeadLetterAdmin)
admin.site.register(Incident, IncidentAdmin)
