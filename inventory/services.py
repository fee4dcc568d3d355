"""Inventory's operations. Each takes a set of orders, ends in one transaction, and cannot tell which style called it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connections, transaction

from inventory.allocation import allocate, missing
from inventory.events import InventoryRejected, InventoryReleased, InventoryReserved, StockDispatched
from inventory.models import Product, Receipt, Reservation, ReservationLine, Stock, Warehouse
from orders.lookups import OrderLines
from shop.base.bulk import save_all
from shop.base.databases import alias_of
from shop.base.lookups import ask
from shop.messaging.events import Ref
from shop.messaging.outcomes import Outcome
from shop.messaging.recording import recording

State = Reservation.State


def reserve_stock(refs: Sequence[Ref]) -> Outcome:
    """Set stock aside for every line of each order, or refuse the order whole. Undo: ``release_stock``."""
    ordered: Mapping[UUID, OrderLines] = ask(OrderLines, [ref.id for ref in refs])
    outcome = Outcome()
    with recording("inventory") as record:
        rows = Reservation.claim(refs)
        fresh = [ref for ref in refs if rows[ref.id].state == State.NEW]
        shelf = _lock_stock({line.sku for ref in fresh for line in ordered[ref.id].lines})
        lines: list[ReservationLine] = []
        for ref in fresh:
            row = rows[ref.id]
            wanted = _wanted(ordered[ref.id])
            free = _free(shelf, wanted)
            taken = allocate(wanted, free)
            if taken is None:
                short = missing(wanted, free)
                row.state, row.reason = State.REJECTED, f"out of stock: {', '.join(short)}"[:300]
                record.publish(InventoryRejected(ref=ref, reason="out of stock", skus=short))
            else:
                row.state = State.RESERVED
                for (warehouse, sku), quantity in taken.items():
                    stock = shelf[sku][warehouse]
                    stock.reserved += quantity
                    lines.append(ReservationLine(reservation=row, stock=stock, quantity=quantity))
                record.publish(InventoryReserved(ref=ref, warehouses=sorted({code for code, _ in taken})))
        save_all([rows[ref.id] for ref in fresh], ["state", "reason"])
        ReservationLine.objects.bulk_create(lines)
        _move(_totals(lines, on_hand=0, reserved=+1))
    for ref in refs:
        kept = rows[ref.id].state in (State.RESERVED, State.DEPARTED)
        (outcome.done if kept else outcome.refused).append(ref)
    return outcome


def release_stock(refs: Sequence[Ref]) -> Outcome:
    """The undo of ``reserve_stock``: put back what was set aside, and see to it that nothing will be."""
    with recording("inventory") as record:
        rows = Reservation.claim(refs)
        if gone := [ref.number for ref in refs if rows[ref.id].state == State.DEPARTED]:
            raise ValueError(f"Stock of {', '.join(gone)} has left the warehouse and cannot be released.")
        held = [ref for ref in refs if rows[ref.id].state == State.RESERVED]
        _settle(held, on_hand=0, reserved=-1)
        for ref in refs:
            if rows[ref.id].state in (State.NEW, State.RESERVED):
                rows[ref.id].state = State.RELEASED
                record.publish(InventoryReleased(ref=ref))
        save_all(rows.values(), ["state"])
    return Outcome(done=list(refs))


def dispatch_stock(refs: Sequence[Ref]) -> Outcome:
    """Turn what was set aside into a departure: the parcels have left."""
    outcome = Outcome()
    with recording("inventory") as record:
        rows = Reservation.claim(refs)
        leaving = [ref for ref in refs if rows[ref.id].state == State.RESERVED]
        _settle(leaving, on_hand=-1, reserved=-1)
        for ref in leaving:
            rows[ref.id].state = State.DEPARTED
            record.publish(StockDispatched(ref=ref))
        if lost := [ref.number for ref in refs if rows[ref.id].state != State.DEPARTED]:
            raise ValueError(f"{', '.join(lost)} left without a reservation.")
        save_all(rows.values(), ["state"])
    outcome.done += refs
    return outcome


class Delivery(NamedTuple):
    """Units of a product that come into a warehouse."""

    sku: str
    warehouse: str
    quantity: int


def receive_stock(deliveries: Iterable[Delivery], note: str = "") -> None:
    """Take deliveries in. Products and warehouses must exist.

    Raises:
        ValueError: an unknown SKU or warehouse, by name; nothing is taken in.
    """
    deliveries = list(deliveries)
    products = {
        product.sku: product for product in Product.objects.filter(sku__in={d.sku for d in deliveries})
    }
    warehouses = {warehouse.code: warehouse for warehouse in Warehouse.objects.all()}
    if unknown := {d.sku for d in deliveries} - products.keys():
        raise ValueError(f"Unknown products: {', '.join(sorted(unknown))}.")
    if unknown := {d.warehouse for d in deliveries} - warehouses.keys():
        raise ValueError(f"Unknown warehouses: {', '.join(sorted(unknown))}.")
    with transaction.atomic(using=alias_of("inventory")):
        places = {(d.sku, d.warehouse) for d in deliveries}
        Stock.objects.bulk_create(
            (Stock(product=products[sku], warehouse=warehouses[code]) for sku, code in sorted(places)),
            ignore_conflicts=True,
        )
        shelf = _lock_stock({d.sku for d in deliveries})
        Receipt.objects.bulk_create(
            Receipt(stock=shelf[d.sku][d.warehouse], quantity=d.quantity, note=note) for d in deliveries
        )
        came: Counter[int] = Counter()
        for d in deliveries:
            came[shelf[d.sku][d.warehouse].pk] += d.quantity
        _move({pk: (units, 0) for pk, units in came.items()})


def _wanted(order: OrderLines) -> Counter[str]:
    wanted: Counter[str] = Counter()
    for line in order.lines:
        wanted[line.sku] += line.quantity
    return wanted


def _lock_stock(skus: Iterable[str]) -> dict[str, dict[str, Stock]]:
    """The stock rows of these products, locked in one fixed order, by SKU and warehouse code."""
    shelf: dict[str, dict[str, Stock]] = defaultdict(dict)
    rows = Stock.objects.filter(product__sku__in=set(skus)).select_related("product", "warehouse")
    for stock in rows.select_for_update(of=("self",)).order_by("pk"):
        shelf[stock.product.sku][stock.warehouse.code] = stock
    return shelf


def _free(shelf: Mapping[str, Mapping[str, Stock]], skus: Iterable[str]) -> dict[str, dict[str, int]]:
    free: dict[str, dict[str, int]] = defaultdict(dict)
    for sku in skus:
        for code, stock in shelf.get(sku, {}).items():
            free[code][sku] = stock.free
    return free


def _settle(refs: Sequence[Ref], *, on_hand: int, reserved: int) -> None:
    """Apply the reservation lines of these orders to the stock they were taken from."""
    lines = ReservationLine.objects.filter(reservation__in=[ref.id for ref in refs])
    _move(_totals(lines, on_hand=on_hand, reserved=reserved))


def _totals(lines: Iterable[ReservationLine], *, on_hand: int, reserved: int) -> dict[int, tuple[int, int]]:
    units: Counter[int] = Counter()
    for line in lines:
        units[line.stock_id] += line.quantity
    return {pk: (on_hand * total, reserved * total) for pk, total in units.items()}


def _move(changes: Mapping[int, tuple[int, int]]) -> None:
    """Add (on hand, reserved) to stock rows by key, in one statement, locking them in order of key first."""
    if not changes:
        return
    keys = sorted(changes)
    with connections[alias_of("inventory")].cursor() as cursor:
        cursor.execute("SELECT 1 FROM inventory_stock WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [keys])
        cursor.execute(
            """
            UPDATE inventory_stock s SET on_hand = s.on_hand + c.on_hand, reserved = s.reserved + c.reserved
            FROM unnest(%s::bigint[], %s::int[], %s::int[]) AS c (id, on_hand, reserved) WHERE s.id = c.id
            """,
            [keys, [changes[key][0] for key in keys], [changes[key][1] for key in keys]],
        )
