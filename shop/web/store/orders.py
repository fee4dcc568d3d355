"""A customer's orders: their list, and the page on which one is followed and cancelled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orders.models import Order, OrderLine
from orders.services import Cancellation, request_cancellation
from orders.telling import trouble
from orders.telling.live import order_pages
from orders.telling.order_page import address_of
from payments.models import Payment
from shipping.lookups import Labels
from shop.base.lookups import ask
from shop.base.money import show
from shop.base.tracking import order_of, tracking_link
from shop.web.store import stages
from shop.web.store.basket import OTHER_CURRENCY, contents
from shop.web.store.cards import card_name
from shop.web.store.customers import is_staff, orders_of, owned_order, visible_order
from shop.web.store.pages import page
from shop.web.store.pictures import picture
from shop.web.store.shelf import Basket, Full

ON_A_PAGE = 20
NAMED = 2  # lines of each order
Status = Order.Status
IN_WORDS = {
    Status.SHIPPED: ("now", "On its way"),
    Status.COMPLETED: ("done", "Completed"),
    Status.CANCELLING: ("undo", "Being cancelled"),
    Status.CANCELLED: ("undo", "Cancelled"),
}  # of all others: under way
LEVELS = {  # what has been asked for is told by the page itself, which moves on: a message would stay
    Cancellation.ALREADY_CANCELLED: messages.INFO,
    Cancellation.SHIPPED: messages.ERROR,
}


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    first_lines = Prefetch("lines", OrderLine.objects.order_by("id")[: NAMED + 1], to_attr="named")
    shown = Paginator(orders_of(request).prefetch_related(first_lines), ON_A_PAGE).get_page(
        request.GET.get("page")
    )
    rows = [
        (order, *IN_WORDS.get(Status(order.status), ("now", "Under way")), _in_short(order.named))  # type: ignore[attr-defined]
        for order in shown
    ]
    return page(request, "orders", {"shown": shown, "rows": rows})


def _in_short(lines: Iterable[OrderLine]) -> str:
    named = [f"{line.quantity} x {line.name}" for line in lines]
    return ", ".join(named[:NAMED]) + (" and more" if len(named) > NAMED else "")


# --- One order, for its customer, for staff, and for whoever has the link -----------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where somebody sees an order: the names of the addresses, and what they are made with."""

    page: str
    stream: str
    cancel: str
    argument: object

    def address(self, name: str) -> str:
        return reverse(name, args=[self.argument])


def _own(order_id: UUID) -> Place:
    return Place("store-order", "store-stream", "store-cancel", order_id)


def _by_link(token: str) -> Place:
    return Place("store-linked", "store-stream-linked", "store-cancel-linked", token)


@require_safe
def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    found = visible_order(request, order_id)
    is_own = orders_of(request).filter(pk=found.pk).exists() if is_staff(request) else True
    return _page_of(request, found.pk, _own(order_id), is_own=is_own, may_cancel=is_own)


@require_safe
def linked(request: HttpRequest, token: str) -> HttpResponse:
    return _page_of(request, _linked(token).pk, _by_link(token), is_own=False, may_cancel=True)


@require_safe
def stream(request: HttpRequest, order_id: UUID) -> HttpResponseBase:
    """Tells the page when the order has changed."""
    return order_pages.stream(request, visible_order(request, order_id).pk)


@require_safe
def stream_linked(request: HttpRequest, token: str) -> HttpResponseBase:
    return order_pages.stream(request, _linked(token).pk)


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    return _cancel(request, owned_order(request, order_id), _own(order_id))


@require_http_methods(["GET", "HEAD", "POST"])
def cancel_linked(request: HttpRequest, token: str) -> HttpResponse:
    return _cancel(request, _linked(token), _by_link(token))


@require_POST
def again(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """What was ordered goes into the basket once more."""
    basket, order = Basket(request.session), owned_order(request, order_id)
    inside = contents(basket.lines)
    if inside.wanted and inside.currency != order.currency:
        messages.error(request, OTHER_CURRENCY.format(inside.currency, order.currency))
        return redirect("store-basket")
    try:
        for line in order.lines.all():
            basket.add(line.sku, line.quantity)
    except Full:
        messages.warning(request, "The basket does not take all of it.")
    return redirect("store-basket")


def _linked(token: str) -> Order:
    order_id = order_of(token)
    if order_id is None:
        raise Http404("This link is not one of the shop's.")
    return get_object_or_404(Order.objects.select_related("saga"), uuid=order_id)


def _page_of(request: HttpRequest, pk: int, place: Place, *, is_own: bool, may_cancel: bool) -> HttpResponse:
    """``is_own``: this person placed it, and is shown the address."""
    version = order_pages.version(pk)
    order = Order.objects.select_related("saga").get(pk=pk)
    payment = Payment.objects.filter(order_id=order.uuid).first()
    labels = ask(Labels, [order.uuid]).get(order.uuid)
    lines = list(order.lines.all())
    facts = stages.Facts(
        told=stages.told_of(order),
        products={line.sku: line.name for line in lines},
        tracking=list(labels.tracking.values()) if labels else [],
        refunded_minor=payment.refunded_minor if payment else 0,
        card=card_name(order.payment_method),
    )
    cancelling = may_cancel and not order.too_late_to_cancel and order.status != Status.CANCELLING
    return page(
        request,
        "order",
        {
            "order": order,
            "version": version,
            "here": place.address(place.page),
            "stream": place.address(place.stream),
            "ended": order.saga.state == order.saga.State.ENDED,
            "summary": stages.summary(order, facts),
            "stages": stages.stages(order, facts),
            "lines": [
                (line, show(line.price_minor * line.quantity, order.currency), picture(line.sku, line.name))
                for line in lines
            ],
            "is_own": is_own,
            "link": tracking_link(order.uuid) if is_own else "",
            "cancelling": place.address(place.cancel) if cancelling else "",
            "staff": _for_staff(request, order),
        },
    )


def _for_staff(request: HttpRequest, order: Order) -> dict[str, Any] | None:
    """The same order as staff see it, beside the customer's view."""
    if not is_staff(request):
        return None
    return {"findings": trouble.why_it_waits(order), "address": address_of(order)}


def _cancel(request: HttpRequest, order: Order, place: Place) -> HttpResponse:
    """Asks first; then asks the shop, and says what that said."""
    back = place.address(place.page)
    if request.method != "POST":
        return page(request, "cancel", {"order": order, "back": back, "late": order.too_late_to_cancel})
    answer = request_cancellation(order.uuid, by="customer")
    if answer in LEVELS:
        messages.add_message(request, LEVELS[answer], answer.value)
    return redirect(back)
