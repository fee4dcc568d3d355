"""Products, warehouses and stock for invoices that are about to be placed."""

from __future__ import annotations

from binascii import crc32
from collections.abc import Iterator, Sequence
from itertools import islice

from django.db.models import F, Sum

from inventory.models import Product, Receipt, Stock, Warehouse
from inventory.services import Delivery, receive_stock
from shop.tools.invoices.survey import Survey

CURRENCY = "GBP"
WAREHOUSES = {"LON": "London", "MAN": "Manchester"}
BATCH = 1000


def make_catalogue(found: Survey) -> int:
    """Make or update the products of the survey, and the two warehouses. Returns how many products are new.

    A product sold in another currency is left alone; orders for it are refused when they are placed.
    """
    Warehouse.objects.bulk_create(
        (Warehouse(code=code, name=name) for code, name in WAREHOUSES.items()), ignore_conflicts=True
    )
    new = 0
    for skus in _batches(sorted(found.prices)):
        known = Product.objects.in_bulk(skus, field_name="sku")
        fresh = [
            Product(sku=sku, name=found.names[sku] or sku, price_minor=found.prices[sku], currency=CURRENCY)
            for sku in skus
            if sku not in known
        ]
        Product.objects.bulk_create(fresh, ignore_conflicts=True)
        new += len(fresh)
        changed = [product for product in known.values() if _updated(product, found)]
        Product.objects.bulk_update(changed, ["name", "price_minor"])
    return new


def receive_what_is_needed(found: Survey, style: str) -> int:
    """Take in exactly what the orders need beyond the stock that is free. Returns the units received.

    Each product comes to one of the two warehouses, by a hash of its code: so most orders of several products travel
    in two parcels, and the same files always split the same way.
    """
    codes = sorted(WAREHOUSES)
    received = 0
    for skus in _batches(sorted(found.needed)):
        free = _free(skus)
        missing = {sku: found.needed[sku] - free.get(sku, 0) for sku in skus}
        deliveries = [
            Delivery(sku, codes[crc32(sku.encode()) % len(codes)], units)
            for sku, units in missing.items()
            if units > 0
        ]
        receive_stock(deliveries, note=_note(style))
        received += sum(delivery.quantity for delivery in deliveries)
    return received


def receive_up_to(units: int, found: Survey, style: str) -> int:
    """Have ``units`` of every product received by imports in this style, in each warehouse. Returns the units."""
    received = 0
    for skus in _batches(sorted(found.prices)):
        came: dict[tuple[str, str], int] = {
            (sku, code): total
            for sku, code, total in Receipt.objects.filter(note=_note(style), stock__product__sku__in=skus)
            .order_by()
            .values_list("stock__product__sku", "stock__warehouse__code")
            .annotate(total=Sum("quantity"))
        }
        deliveries = [
            Delivery(sku, code, missing)
            for sku in skus
            for code in sorted(WAREHOUSES)
            if (missing := units - came.get((sku, code), 0)) > 0
        ]
        receive_stock(deliveries, note=_note(style))
        received += sum(delivery.quantity for delivery in deliveries)
    return received


def _updated(product: Product, found: Survey) -> bool:
    name, price = found.names[product.sku] or product.name, found.prices[product.sku] or product.price_minor
    if product.currency != CURRENCY or (product.name, product.price_minor) == (name, price):
        return False
    product.name, product.price_minor = name, price
    return True


def _free(skus: Sequence[str]) -> dict[str, int]:
    rows = Stock.objects.filter(product__sku__in=skus).order_by().values_list("product__sku")
    return dict(rows.annotate(units=Sum(F("on_hand") - F("reserved"))))


def _note(style: str) -> str:
    return f"import_orders, {style}"


def _batches(skus: list[str]) -> Iterator[list[str]]:
    rest = iter(skus)
    while batch := list(islice(rest, BATCH)):
        yield batch
