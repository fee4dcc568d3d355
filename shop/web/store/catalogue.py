"""The shop window: what is on sale, a page at a time, and each product by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from inventory.catalogue import buyable_first, found, on_sale
from shop.base.money import show
from shop.web.store.pages import page
from shop.web.store.pictures import Picture, picture
from shop.web.store.shelf import MOST_UNITS

ON_A_PAGE = 24
FEW = 5  # units that are told of by their number


@dataclass(frozen=True)
class Tile:
    """A product as a customer sees it."""

    sku: str
    name: str
    price: str
    price_minor: int
    currency: str
    available: int
    picture: Picture

    @property
    def sold_out(self) -> bool:
        return self.available < 1

    @property
    def few(self) -> bool:
        return 0 < self.available <= FEW

    @property
    def stock(self) -> str:
        """What is free just now. It is nobody's before it is set aside for an order."""
        if self.sold_out:
            return "Sold out"
        return f"Only {self.available} left" if self.few else "In stock"


def tile(product: Any) -> Tile:
    """``product``: one of ``on_sale``."""
    return Tile(
        sku=product.sku,
        name=product.name,
        price=show(product.price_minor, product.currency),
        price_minor=product.price_minor,
        currency=product.currency,
        available=product.available,
        picture=picture(product.sku, product.name),
    )


class Search(forms.Form):
    q = forms.CharField(max_length=100, required=False)


@require_safe
def window(request: HttpRequest) -> HttpResponse:
    search = Search(request.GET)
    words = search.cleaned_data["q"] if search.is_valid() else ""
    products = found(on_sale(), words) if words else on_sale()
    shown = Paginator(buyable_first(products), ON_A_PAGE).get_page(request.GET.get("page"))
    return page(
        request,
        "window",
        {
            "words": words,
            "shown": shown,
            "tiles": [tile(product) for product in shown],
            "wrong": not search.is_valid(),
        },
    )


@require_safe
def product(request: HttpRequest, sku: str) -> HttpResponse:
    found = None if "\0" in sku else on_sale().filter(sku=sku).first()
    if found is None:
        raise Http404("There is no such product on sale.")
    return page(request, "product", {"tile": tile(found), "most": MOST_UNITS})
