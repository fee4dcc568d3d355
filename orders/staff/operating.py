"""The buttons of orders' pages and list in the admin: who may press them, what is asked before, what is told after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from orders.models import Order, Saga
from orders.staff import actions
from orders.staff.corrections import CORRECTIONS, why_not
from orders.telling.order_page import address_of
from shop.base.admin.buttons import (
    Forecast,
    Result,
    again,
    chosen,
    confirmation,
    confirmed,
    keeps_acts,
    may_change,
    told,
)
from shop.base.admin.rows import ReadOnlyAdmin
from shop.base.cards import to_show_again
from shop.base.databases import alias_of

Act = Callable[[Order], Result]
LONGEST_NOTE = 1_000
UNDONE = (
    "All that was done will be undone: labels made void, money given back, stock released. What has been handed over to "
    "the carrier stays as it is; shipping decides that at that moment."
)
TRIED = (
    "Just this step is tried again, at once, its attempts counted anew. What is done already is not done again; if all "
    "goes well, the order goes on from there by itself."
)


class Operating(ReadOnlyAdmin):
    """What staff can do about orders; for ``OrderAdmin``."""

    actions = ("retry_selected", "resume_selected", "note_selected", "cancel_selected")

    def get_urls(self) -> list[URLPattern]:
        def view(function: Any) -> Any:
            return self.admin_site.admin_view(function)

        return [
            path("<int:pk>/cancel/", view(self.cancel), name="orders_order_cancel"),
            path("<int:pk>/retry/", view(self.retry), name="orders_order_retry"),
            path("<int:pk>/resume/", view(require_POST(self.resume)), name="orders_order_resume"),
            path("<int:pk>/note/", view(require_POST(self.note)), name="orders_order_note"),
            *(
                path(f"<int:pk>/{name}/", view(self.correct), {"name": name}, name=f"orders_order_{name}")
                for name in CORRECTIONS
            ),
            *super().get_urls(),
        ]

    # --- One order ---------------------------------------------------------------------------------------------

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._operated(request, pk)
        if request.method != "POST":
            return self._ask_to_cancel(request, [order], [], back=address_of(order))
        return self._do(request, actions.cancel, [order], "Cancelled") or _page_of(order)

    def retry(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._operated(request, pk)
        if request.method != "POST" and order.saga.state != Saga.State.ENDED:  # of that, it is only said
            return self._ask_to_retry(request, [order], [], back=address_of(order))
        return self._do(request, actions.retry, [order], "Tried again") or _page_of(order)

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._operated(request, pk)
        return self._do(request, actions.resume, [order], "Resumed") or _page_of(order)

    def note(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self._operated(request, pk)
        self._do(request, self._noting(request), [order], "Noted")
        return HttpResponseRedirect(f"{address_of(order)}#acts")

    def correct(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        order, correction = self._operated(request, pk), CORRECTIONS[name]
        if why := why_not(correction, order):
            self.message_user(request, f"The {correction.what} stays as it is. {why}", messages.ERROR)
            return _page_of(order)
        given = request.POST if request.method == "POST" else vars(order)
        entered = {field: str(given.get(field, "")) for field in correction.fields}
        form = correction.reads(data=entered)
        if request.method == "POST" and form.is_valid():
            values = form.validated_data
            return self._do(
                request, lambda order: actions.corrected(correction, order, values), [order], ""
            ) or _page_of(order)
        errors = form.errors if request.method == "POST" else {}
        entered = {
            name: to_show_again(value) if errors.get(name) else value for name, value in entered.items()
        }
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{correction.button} of {order}",
            "order": order,
            "correction": correction,
            "back": address_of(order),
            "fields": [
                (field, actions.name_of(field), form.fields[field], value, errors.get(field, ()))
                for field, value in entered.items()
            ],
        }
        return TemplateResponse(request, "admin/orders/order/correct.html", context)

    # --- Several orders ----------------------------------------------------------------------------------------

    @admin.action(description="Try their steps again: first see what would happen", permissions=["operate"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        orders = chosen(self, request, queryset)
        if orders and not confirmed(request):
            return self._ask_to_retry(request, orders, again("retry_selected", orders), back=_here(request))
        return self._do(request, actions.retry, orders, "Tried again")

    @admin.action(description="Resume the selected orders now", permissions=["operate"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        return self._do(request, actions.resume, chosen(self, request, queryset), "Resumed")

    @admin.action(description="Write a note to the selected orders", permissions=["operate"])
    def note_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        orders = chosen(self, request, queryset)
        if orders and not confirmed(request):
            return confirmation(
                self,
                request,
                title=f"Note to {_these(orders)}",
                question="It is shown on the page of each, with your name and the time.",
                objects=orders,
                yes="Write it",
                back=_here(request),
                hidden=again("note_selected", orders),
                text=LONGEST_NOTE,
            )
        return self._do(request, self._noting(request), orders, "Noted")

    @admin.action(description="Cancel the selected orders", permissions=["operate"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        orders = chosen(self, request, queryset)
        if orders and not confirmed(request):
            return self._ask_to_cancel(request, orders, again("cancel_selected", orders), back=_here(request))
        return self._do(request, actions.cancel, orders, "Cancelled")

    # --- Asked before, kept and told after -----------------------------------------------------------------------

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return may_change(request, Order)

    def _operated(self, request: HttpRequest, pk: int) -> Order:
        if not self.has_operate_permission(request):
            raise PermissionDenied
        return get_object_or_404(Order.objects.select_related("saga"), pk=pk)

    def _do(
        self, request: HttpRequest, act: Act, orders: Sequence[Order], title: str
    ) -> TemplateResponse | None:
        """Act on each order by itself, keep who did what, and tell what became of each."""
        results: list[tuple[object, str, Result]] = []
        for order in orders:
            result = act(order)
            if result.act:
                self.log_change(request, order, result.act)
            results.append((order, address_of(order), result))
        return told(self, request, title, results)

    def _ask_to_retry(
        self, request: HttpRequest, orders: Sequence[Order], hidden: list[tuple[str, object]], back: str
    ) -> HttpResponse:
        return confirmation(
            self,
            request,
            title=f"Try {_these(orders)} again",
            question=TRIED,
            forecasts=[
                Forecast(order, address_of(order), runs, effects)
                for order, runs, effects in actions.forecast(orders)
            ],
            objects=orders,
            yes="Try again now",
            back=back,
            hidden=hidden,
        )

    def _ask_to_cancel(
        self, request: HttpRequest, orders: Sequence[Order], hidden: list[tuple[str, object]], back: str
    ) -> HttpResponse:
        return confirmation(
            self,
            request,
            title=f"Cancel {_these(orders)}",
            question=UNDONE,
            objects=[f"{order}: {order.status}, {order.total}, {order.style}" for order in orders],
            yes="Yes, cancel",
            back=back,
            hidden=hidden,
            danger=True,
        )

    def _noting(self, request: HttpRequest) -> Act:
        """Writes what the request brings to an order; once, however often the button is pressed."""
        text = request.POST.get("text", "").replace("\r\n", "\n").strip()

        def write(order: Order) -> Result:
            if not text:
                return Result(messages.ERROR, "A note without a word is none: write something.")
            if len(text) > LONGEST_NOTE:
                return Result(
                    messages.ERROR, f"A note has at most {LONGEST_NOTE:,} characters, not {len(text):,}."
                )
            with transaction.atomic(using=alias_of("orders")):
                Order.objects.select_for_update().get(
                    pk=order.pk
                )  # the other half of a double click waits here
                kind = ContentType.objects.get_for_model(Order)
                written = LogEntry.objects.filter(
                    content_type=kind, object_id=str(order.pk), user=request.user.pk
                )
                lately = written.filter(action_time__gt=timezone.now() - actions.A_DOUBLE_CLICK)
                if lately.filter(change_message=f"{actions.NOTE}{text}").exists():
                    return Result(messages.INFO, "The note is there already.")
                self.log_change(request, order, f"{actions.NOTE}{text}")
            return Result(messages.SUCCESS, "The note is written.")

        return write


@keeps_acts
def keep(request: HttpRequest, order_id: UUID, act: str) -> None:
    """What is done elsewhere to an order is told on its page, too."""
    if order := Order.objects.filter(uuid=order_id).first():
        admin.site.get_model_admin(Order).log_change(request, order, act)


def _page_of(order: Order) -> HttpResponse:
    return HttpResponseRedirect(address_of(order))


def _here(request: HttpRequest) -> str:
    return request.get_full_path()


def _these(orders: Sequence[Order]) -> str:
    return str(orders[0]) if len(orders) == 1 else f"{len(orders)} orders"
