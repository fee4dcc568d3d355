"""The first look through the files, before anything is placed: what they sell, and what of it is still needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from inventory.models import Reservation
from orders.models import Order
from shop.tools.invoices.cleaning import Invoice, clean
from shop.tools.invoices.reading import FileError, read

BATCH = 500
MOST_NEEDED = 1_000_000_000  # units of a product


@dataclass
class Survey:
    """Grows with the products and invoice numbers in the files, not with their lines."""

    names: dict[str, str] = field(default_factory=dict)  # per SKU; empty: no line describes it
    prices: dict[str, int] = field(default_factory=dict)  # per SKU, in pence: the last that was not zero
    needed: Counter[str] = field(default_factory=Counter)  # units that orders will yet set aside
    orders: int = 0


def key_of(invoice: Invoice, style: str) -> str:
    """The idempotency key: importing again in the same style doubles nothing, in the other style orders anew."""
    return f"invoice-{invoice.number}-{style}"


def cleaned(paths: Iterable[Path], limit: int | None) -> Iterator[Invoice]:
    """All invoices of the files, clean, up to the ``limit``-th that orders something."""
    orders = 0
    for raw in read(paths):
        if limit is not None and orders >= limit:
            return
        invoice = clean(raw)
        yield invoice
        orders += not (invoice.cancels or invoice.no_order)


def survey(paths: Iterable[Path], customer_id: int, style: str, limit: int | None) -> Survey:
    """Read all files once. Raises FileError, before anything is placed."""
    found = Survey()
    seen: set[str] = set()
    invoices = (i for i in cleaned(paths, limit) if not (i.cancels or i.no_order))
    while batch := list(islice(invoices, BATCH)):
        found.orders += len(batch)
        for invoice in batch:
            _note_products(invoice, found)
        fresh = {invoice.number: invoice for invoice in batch if invoice.number not in seen}
        seen |= fresh.keys()
        settled = _stock_settled([key_of(invoice, style) for invoice in fresh.values()], customer_id)
        for invoice in fresh.values():
            if key_of(invoice, style) not in settled:
                _need(invoice, found)
    return found


def _need(invoice: Invoice, found: Survey) -> None:
    for sku, units in invoice.units.items():
        found.needed[sku] += units
        if found.needed[sku] > MOST_NEEDED:
            raise FileError(
                f"Invoice {invoice.number} makes it more than {MOST_NEEDED:,} units of {sku} in all."
            )


def _note_products(invoice: Invoice, found: Survey) -> None:
    for item in invoice.items:
        if item.price_minor or item.sku not in found.prices:
            found.prices[item.sku] = item.price_minor
        if item.name or item.sku not in found.names:
            found.names[item.sku] = item.name


def _stock_settled(keys: list[str], customer_id: int) -> set[str]:
    """The keys of orders that need no more stock: inventory has set it aside, or said no, or the order has ended."""
    orders = Order.objects.filter(customer_id=customer_id, idempotency_key__in=keys)
    placed = {
        uuid: (key, ended) for uuid, key, ended in orders.values_list("uuid", "idempotency_key", "ended_at")
    }
    answered = set(Reservation.objects.filter(pk__in=placed).values_list("pk", flat=True))
    return {key for uuid, (key, ended) in placed.items() if ended or uuid in answered}
