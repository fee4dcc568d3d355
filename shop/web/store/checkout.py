"""Checkout: the form, and the order that is placed by it, through the same door as the API's and with its checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from math import ceil
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from orders.api.door import place
from orders.api.serializers import PlaceOrderSerializer
from orders.models import Order
from orders.placement import KeyTaken, NotNow, NotPlaceable, Placed, PlaceOrder
from shop.base.brakes.addresses import address_of
from shop.base.brakes.buckets import Bucket, take
from shop.base.cards import to_show_again
from shop.base.countries import COUNTRIES
from shop.web.store import cards
from shop.web.store.basket import Contents, contents
from shop.web.store.customers import customer_id, guest_of, remember_guest
from shop.web.store.pages import page
from shop.web.store.shelf import Basket

CHANGED = "Your basket or a price has changed since this page was shown: look at it, then send it once more."
STALE = "This page had been open for too long: send it once more."
BUSY = "Many orders wait for their turn just now, so none is taken for the moment. Your basket stays: send it again soon."
LONGEST_PAYMENT = 100
TOO_OFTEN = (
    "Many orders were placed just now, by you or from your network: wait {} s, then send it once more."
)


def _text(label: str, autocomplete: str, longest: int, **more: Any) -> forms.CharField:
    missing = {"required": f"{label} is missing: please fill it in."}
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=longest, error_messages=missing, widget=widget, **more)


class CheckoutForm(forms.Form):
    """Says itself only what is missing; what is wrong, the API's serializer says. ``wanted`` is then the order."""

    key = forms.RegexField(
        r"\A[0-9a-f]{32}\Z", widget=forms.HiddenInput
    )  # one order, however often it is sent
    total = forms.CharField(max_length=40, widget=forms.HiddenInput)
    email = _text("Email", "email", 254, help_text="We write to you there once your parcels have left.")
    name = _text("Name", "name", 100)
    line1 = _text("Street and number", "address-line1", 200)
    postcode = _text("Postcode", "postal-code", 20)
    city = _text("Town or city", "address-level2", 100)
    country = forms.ChoiceField(
        choices=list(COUNTRIES.items()),
        widget=forms.Select(attrs={"autocomplete": "country"}),
        label="Country",
    )
    payment_method = _text(
        "Payment method", "off", LONGEST_PAYMENT, help_text="A token of the payment provider."
    )
    later: tuple[HTTPStatus, int] | None = None  # the status, and s until it may be sent again
    style = forms.ChoiceField(label="How the shop's services work together", required=False)

    def __init__(self, data: Any, inside: Contents, **more: Any) -> None:
        super().__init__(data, label_suffix="", **more)
        self.inside = inside
        self.fields["email"].widget.input_type = "email"
        style: Any = self.fields["style"]
        style.choices = [
            ("", f"as the shop is set: {settings.FULFILLMENT_STYLE}"), *((style, style) for style in settings.STYLES),
        ]  # fmt: skip
        if cards.cards_are_tests():
            choices = [(token, name) for token, name, _ in cards.CARDS]
            self.fields["payment_method"] = forms.ChoiceField(
                label="Test card", choices=choices, widget=forms.RadioSelect, initial=choices[0][0]
            )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "key" in self.errors:
            self._say(None, STALE)
        elif given.get("total") != self.inside.total:
            self._say(None, CHANGED)
        body = PlaceOrderSerializer(data=self._body(given))
        if not body.is_valid():
            for field, text in _told(body.errors):
                self._say(field if field in self.fields else None, text)
        self.body = body
        return given

    def wanted(self, customer: int) -> PlaceOrder:
        return self.body.wanted(customer, self.cleaned_data["key"])

    def afresh(self) -> None:
        """To be shown again: with what it did not have, or no longer has."""
        fresh = {"key": uuid4().hex} if "key" in self.errors else {}
        self.data = {**self.data.dict(), **fresh, "total": self.inside.total}  # type: ignore[attr-defined]
        self.data |= {
            name: to_show_again(self.data.get(name, "")) for name in self.errors if name in self.fields
        }

    def _body(self, given: Mapping[str, Any]) -> dict[str, Any]:
        address = {name: given.get(name, "") for name in ("name", "line1", "city", "postcode", "country")}
        body = {
            "lines": [{"sku": line.tile.sku, "quantity": line.quantity} for line in self.inside.wanted],
            "currency": self.inside.currency,
            "payment_method": given.get("payment_method", ""),
            "email": given.get("email", ""),
            "address": address,
        }
        return body | ({"style": given["style"]} if given.get("style") else {})

    def put_off(self, status: HTTPStatus, wait: int, why: str) -> None:
        """Nothing is wrong with it: it is only for later."""
        self.later = status, wait
        self.add_error(None, why)

    def _say(self, field: str | None, text: str) -> None:
        """Once: of what is missing nothing else is said."""
        if field is None or field not in self.errors:
            self.add_error(field, text)


def _told(errors: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """(field, text) of the serializer's errors; those of the address are called as the form calls them."""
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from _told(inner, str(name))
    elif isinstance(errors, list):
        for inner in errors:
            yield from _told(inner, field)
    else:
        yield field, str(errors)


@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    if request.method == "POST" and (before := _placed_before(request)):
        return redirect("store-order", order_id=before.uuid)
    inside = contents(Basket(request.session).lines)
    if not inside.wanted:
        messages.info(request, "Your basket is empty.")
        return redirect("store-basket")
    remember_guest(request)
    if request.method != "POST":
        known = {"email": request.user.email} if request.user.is_authenticated else {}
        initial = {"key": uuid4().hex, "total": inside.total, "country": "GB", **known}
        return _shown(request, CheckoutForm(None, inside, initial=initial))
    form = CheckoutForm(request.POST, inside)
    if form.is_valid() and (order := _place(request, form)):
        Basket(request.session).empty()
        return redirect("store-order", order_id=order.uuid)
    form.afresh()
    return _shown(request, form)


def _place(request: HttpRequest, form: CheckoutForm) -> Order | None:
    """None: the form says why not."""
    if wait := _must_wait(request):
        form.put_off(HTTPStatus.TOO_MANY_REQUESTS, wait, TOO_OFTEN.format(wait))
        return None
    try:
        answer = place(form.wanted(customer_id(request)))
    except DataError:  # every field has been checked by now: what does not fit is the sum
        form.add_error(None, "The total is more than the shop can count: order less at once.")
        return None
    match answer:
        case Placed(order):
            return order
        case NotNow(wait):
            form.put_off(HTTPStatus.SERVICE_UNAVAILABLE, wait, BUSY)
        case KeyTaken():  # sent twice at the same moment, and changed between
            return _placed_before(request)
        case NotPlaceable(_, _, reason):
            form.add_error(None, reason)
    return None


def _must_wait(request: HttpRequest) -> int:
    """Seconds until one more order may be placed: as many as over the API; of guests, who are nobody, by address."""
    user = request.user
    name, who = ("placing", f"user-{user.pk}") if user.is_authenticated else ("guests", address_of(request))
    rate = settings.RATES[name]
    return ceil(take(Bucket(f"{name}:{who}", rate)).wait) if rate else 0


def _placed_before(request: HttpRequest) -> Order | None:
    """The order that this very form has placed already."""
    customer = request.user if request.user.is_authenticated else guest_of(request)
    key = request.POST.get("key", "")
    if customer is None or not key.isalnum():
        return None
    return Order.objects.filter(customer_id=customer.pk, idempotency_key=key).first()


def _shown(request: HttpRequest, form: CheckoutForm) -> HttpResponse:
    answer = page(
        request,
        "checkout",
        {
            "form": form,
            "contents": form.inside,
            "cards": [told for _, _, told in cards.CARDS] if cards.cards_are_tests() else [],
            "postcodes": cards.POSTCODES if cards.addresses_are_tests() else [],
        },
        status=422 if form.errors else None,
    )
    if form.later:
        answer.status_code, wait = form.later
        answer.headers["Retry-After"] = str(wait)
    return answer
