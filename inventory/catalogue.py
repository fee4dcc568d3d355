"""The products on sale, with what is free of each."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from inventory.models import Product, Stock

# Per row of the page, not a grouping of the whole table.
FREE = (
    Stock.objects.filter(product=OuterRef("pk"))
    .order_by()
    .values("product")
    .annotate(units=Sum(F("on_hand") - F("reserved")))
    .values("units")
)


def on_sale() -> QuerySet[Product]:
    """By SKU; ``available``: the units free to be ordered, in all warehouses together."""
    return Product.objects.filter(on_sale=True).annotate(available=Coalesce(Subquery(FREE), 0))


def buyable_first(products: QuerySet[Product]) -> QuerySet[Product]:
    """What nothing is left of comes last; by SKU otherwise."""
    left = Stock.objects.filter(product=OuterRef("pk"), on_hand__gt=F("reserved"))
    return products.annotate(is_left=Exists(left)).order_by("-is_left", "sku")


def found(products: QuerySet[Product], words: str) -> QuerySet[Product]:
    """Those of them that have the words, as they stand, in their SKU or their name."""
    return products.filter(Q(sku__icontains=words) | Q(name__icontains=words))
