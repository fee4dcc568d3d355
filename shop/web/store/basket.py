"""What the customer wants to buy: shown, added to, changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from inventory.catalogue import on_sale
from shop.base.money import show
from shop.web.store.catalogue import Tile, tile
from shop.web.store.pages import page
from shop.web.store.shelf import MOST_LINES, MOST_UNITS, Basket, Full

FULL = f"The basket is full: it takes {MOST_LINES} different products. Order these first, or take one out."
OTHER_CURRENCY = (
    "What is in your basket is sold in {0}, this in {1}, and an order has one currency: order those first."
)
QUANTITY = f"How many? Give a whole number from 1 to {MOST_UNITS}."


@dataclass(frozen=True)
class Wanted:
    """A line of the basket."""

    tile: Tile
    quantity: int

    @property
    def minor(self) -> int:
        return self.tile.price_minor * self.quantity

    @property
    def amount(self) -> str:
        return show(self.minor, self.tile.currency)

    @property
    def too_many(self) -> str:
        """Why this may not be had, as it looks now."""
        if self.quantity <= self.tile.available:
            return ""
        if self.tile.sold_out:
            return "Sold out just now: take it out, or your order will be cancelled."
        left = self.tile.available
        return f"Only {left} left just now: with more your order will be cancelled."


@dataclass(frozen=True)
class Contents:
    wanted: Sequence[Wanted]

    @property
    def currency(self) -> str:
        return self.wanted[0].tile.currency if self.wanted else ""

    @property
    def total(self) -> str:
        return show(sum(line.minor for line in self.wanted), self.currency) if self.wanted else ""


def contents(lines: Mapping[str, int]) -> Contents:
    """What of it is on sale, with the prices of this moment."""
    tiles = {product.sku: tile(product) for product in on_sale().filter(sku__in=lines)}
    return Contents([Wanted(tiles[sku], quantity) for sku, quantity in lines.items() if sku in tiles])


class Change(forms.Form):
    sku = forms.CharField(max_length=40, strip=False)
    quantity = forms.IntegerField(min_value=0, max_value=MOST_UNITS)


class Addition(Change):
    quantity = forms.IntegerField(min_value=1, max_value=MOST_UNITS)


@require_safe
def show_basket(request: HttpRequest) -> HttpResponse:
    basket = Basket(request.session)
    inside = contents(basket.lines)
    for sku in basket.lines.keys() - {line.tile.sku for line in inside.wanted}:
        basket.set(sku, 0)
        messages.warning(request, f"{sku} is no longer sold: it was taken out of your basket.")
    return page(request, "basket", {"contents": inside, "most": MOST_UNITS})


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """From a product's tile: back to the basket; where a script asked, just what the page shows of it."""
    said = _add(request)
    if request.headers.get("HX-Request"):
        return render(request, "store/added.html", {"in_basket": Basket(request.session).units, "said": said})
    return redirect("store-basket")


def _add(request: HttpRequest) -> str:
    """What became of it, in a sentence; the next page says it too."""
    form, basket = Addition(request.POST), Basket(request.session)
    if not form.is_valid():
        return _refused(request, QUANTITY)
    sku, quantity = form.cleaned_data["sku"], form.cleaned_data["quantity"]
    product = contents({sku: quantity}).wanted
    if not product:
        return _refused(request, "This product is no longer sold.")
    inside = contents(basket.lines)
    if inside.wanted and inside.currency != product[0].tile.currency:
        return _refused(request, OTHER_CURRENCY.format(inside.currency, product[0].tile.currency))
    try:
        basket.add(sku, quantity)
    except Full:
        return _refused(request, FULL)
    return f"{product[0].tile.name} is in your basket."


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Another quantity of what is in the basket; 0 takes it out."""
    form, basket = Change(request.POST), Basket(request.session)
    if not form.is_valid():
        _refused(request, QUANTITY)
    elif form.cleaned_data["sku"] in basket.lines:
        basket.set(form.cleaned_data["sku"], form.cleaned_data["quantity"])
    return redirect("store-basket")


def _refused(request: HttpRequest, why: str) -> str:
    if not request.headers.get("HX-Request"):
        messages.error(request, why)
    return why
