"""What an order's story is told from: its timeline, bounded, and the parcels it leaves in."""

from __future__ import annotations

from collections.abc import Mapping

from inventory.lookups import StockWarehouses
from orders.models import Order, TimelineEntry
from shipping.lookups import Labels
from shop.base.lookups import ask

MOST_ENTRIES = 500  # of a timeline, on one page
MOST_TROUBLE = 600  # beside them: failures, and times it was taken up again; the newest


def timeline_of(order: Order) -> tuple[list[TimelineEntry], bool]:
    """As it happened; and whether that is not all. However often it was tried, what it came to is there."""
    trouble_kind = TimelineEntry.Kind.TROUBLE
    regular = list(order.timeline.exclude(kind=trouble_kind)[: MOST_ENTRIES + 1])
    failed = list(order.timeline.filter(kind=trouble_kind).order_by("-at", "-id")[: MOST_TROUBLE + 1])
    is_cut = len(regular) > MOST_ENTRIES or len(failed) > MOST_TROUBLE
    entries = [*regular[:MOST_ENTRIES], *failed[:MOST_TROUBLE]]
    return sorted(entries, key=lambda entry: (entry.at, entry.pk)), is_cut


def parcels_of(order: Order) -> Mapping[str, str]:
    """The tracking numbers of an order's parcels, as far as they have one, by the warehouses they leave from."""
    stock = ask(StockWarehouses, [order.uuid]).get(order.uuid)
    found = ask(Labels, [order.uuid]).get(order.uuid)
    tracking = found.tracking if found else {}
    return dict.fromkeys(stock.codes if stock else (), "") | tracking
