"""Orders in the admin: their list, the buttons that cancel and resume them, and what the service published and heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from orders import order_page, search, services, trouble
from orders.live import order_pages
from orders.models import DeadLetter, Inbox, Incident, Order, Outbox, Saga
from orders.saga import resume
from orders.services import Cancellation
from orders.situation import badge, elsewhere
from shop.base.admin.boxes import DeadLetterAdmin, InboxAdmin, IncidentAdmin, OutboxAdmin
from shop.base.admin.buttons import chosen, confirmation, confirmed, may_change
from shop.base.admin.cells import when
from shop.base.admin.filters import StyleFilter, dated
from shop.base.admin.rows import OfAnOrderAdmin, ReadOnlyAdmin
from shop.base.spans import span

LEVELS = {
    Cancellation.REQUESTED: messages.SUCCESS,
    Cancellation.ALREADY_CANCELLED: messages.INFO,
    Cancellation.SHIPPED: messages.ERROR,
}


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
class OrderAdmin(ReadOnlyAdmin):
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
    actions = ("cancel_selected", "resume_selected")

    class Media:
        css = {"all": ["orders/admin.css"]}

    @admin.display(description="order", ordering="id")
    def order_number(self, order: Order) -> str:
        return order.number

    @admin.display(description="status", ordering="status")
    def status_badge(self, order: Order) -> str:
        return format_html('<span class="badge badge-{}">{}</span>', *badge(order, self._around))

    @admin.display(description="total", ordering="total_minor")
    def order_total(self, order: Order) -> str:
        return order.total

    @admin.display(description="customer")
    def customer(self, order: Order) -> str:
        return order.name

    @admin.display(description="placed at", ordering="id")  # ids grow with time
    def placed_on(self, order: Order) -> str:
        return when(order.placed_at)

    @admin.display(description="where it is now")
    def where_now(self, order: Order) -> str:
        level, text = trouble.in_short(order, self._around)
        if order.ended_at and not text:
            text = f"took {span(order.ended_at - order.placed_at)}"
        short = text if len(text) <= 120 else f"{text[:119]}…"
        return format_html('<span class="level level-{}">{}</span>', level, short)

    def found(self, queryset: QuerySet[Order], term: str) -> QuerySet[Order]:
        return search.found(queryset, term)

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
            path("<int:pk>/cancel/", view(self.cancel), name="orders_order_cancel"),
            path("<int:pk>/stream/", view(self.stream), name="orders_order_stream"),
            path("<int:pk>/resume/", view(require_POST(self.resume)), name="orders_order_resume"),
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

    # --- Buttons -----------------------------------------------------------------------------------------------

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return may_change(request, Order)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._operated(request, pk)
        if request.method != "POST":
            return self._ask_to_cancel(request, [order], [], back=order_page.address_of(order))
        self._cancel(request, [order])
        return HttpResponseRedirect(order_page.address_of(order))

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._operated(request, pk)
        self._resume(request, [order])
        return HttpResponseRedirect(order_page.address_of(order))

    def _operated(self, request: HttpRequest, pk: int) -> Order:
        if not self.has_operate_permission(request):
            raise PermissionDenied
        return get_object_or_404(Order.objects.select_related("saga"), pk=pk)

    @admin.action(description="Cancel the selected orders", permissions=["operate"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        orders = chosen(self, request, queryset)
        if orders and not confirmed(request):
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
admin.site.register(DeadLetter, DeadLetterAdmin)
admin.site.register(Incident, IncidentAdmin)
