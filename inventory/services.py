"""Inventory's operations. Each takes a set of orders, ends in one transaction, and cannot tell which style called it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from inventory.allocation import allocate, missing
from inventory.events import InventoryRejected, InventoryReleased, InventoryReserved, StockDispatched
from inventory.models import Product, Receipt, Reservation, ReservationLine, Stock, Warehouse
from inventory.shelf import Shelf, settle
from orders.lookups import OrderLines
from shop.base.databases import alias_of
from shop.base.lookups import ask
from shop.base.per_order import Overtaken, again_if_overtaken
from shop.messaging.events import Ref
from shop.messaging.outcomes import Outcome
from shop.messaging.recording import Record, recording
from shop.messaging.rows import Row, insert, select

State = Reservation.State


@again_if_overtaken
def reserve_stock(refs: Sequence[Ref]) -> Outcome:
    """Set stock aside for every line of each order, or refuse the order whole. Undo: ``release_stock``."""
    ordered: Mapping[UUID, OrderLines] = ask(OrderLines, [ref.id for ref in refs])
    wanted = {ref: _wanted(ordered[ref.id]) for ref in refs}
    with recording("inventory") as record:
        shelf = Shelf(sku for units in wanted.values() for sku in units)
        # Only now: another delivery of an order wants the same stock, so it is over or waits for us.
        states = Reservation.states(refs)
        fresh = {ref: units for ref, units in wanted.items() if ref.id not in states}
        states |= _set_aside(fresh, shelf, record)
    outcome = Outcome()
    for ref in refs:
        kept = states[ref.id] in (State.RESERVED, State.DEPARTED)
        (outcome.done if kept else outcome.refused).append(ref)
    return outcome


@again_if_overtaken
def release_stock(refs: Sequence[Ref]) -> Outcome:
    """The undo of ``reserve_stock``: put back what was set aside, and see to it that nothing will be."""
    with recording("inventory") as record:
        held = Reservation.advance(refs, State.RESERVED, State.RELEASED)
        settle(held, on_hand=0, reserved=-1)
        others = [ref for ref in refs if ref.id not in held]
        states = Reservation.states(others)
        if gone := [ref.number for ref in others if states.get(ref.id) == State.DEPARTED]:
            raise ValueError(f"Stock of {', '.join(gone)} has left the warehouse and cannot be released.")
        if State.RESERVED in states.values():
            raise Overtaken("Stock was set aside at the very moment at which it was to be released.")
        Reservation.begin_all([_row(ref, State.RELEASED) for ref in others if ref.id not in states])
        for ref in refs:
            if ref.id not in states:
                record.publish(InventoryReleased(ref=ref, held=ref.id in held))
    return Outcome(done=list(refs))


def dispatch_stock(refs: Sequence[Ref]) -> Outcome:
    """Turn what was set aside into a departure: the parcels have left."""
    with recording("inventory") as record:
        leaving = Reservation.advance(refs, State.RESERVED, State.DEPARTED)
        settle(leaving, on_hand=-1, reserved=-1)
        others = [ref for ref in refs if ref.id not in leaving]
        states = Reservation.states(others)
        if lost := [ref.number for ref in others if states.get(ref.id) != State.DEPARTED]:
            raise ValueError(f"{', '.join(lost)} left without a reservation.")
        for ref in refs:
            if ref.id in leaving:
                record.publish(StockDispatched(ref=ref))
    return Outcome(done=list(refs))


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
    products: dict[str, int] = dict(select(Product, ("sku", "id"), "sku", {d.sku for d in deliveries}))
    warehouses: dict[str, int] = dict(
        select(Warehouse, ("code", "id"), "code", {d.warehouse for d in deliveries})
    )
    if unknown := {d.sku for d in deliveries} - products.keys():
        raise ValueError(f"Unknown products: {', '.join(sorted(unknown))}.")
    if unknown := {d.warehouse for d in deliveries} - warehouses.keys():
        raise ValueError(f"Unknown warehouses: {', '.join(sorted(unknown))}.")
    came: Counter[tuple[str, str]] = Counter()
    for d in deliveries:
        came[d.warehouse, d.sku] += d.quantity
    with transaction.atomic(using=alias_of("inventory")):
        new = [{"product_id": products[sku], "warehouse_id": warehouses[code]} for code, sku in sorted(came)]
        insert(Stock, new, once=True)
        shelf = Shelf(products)
        insert(
            Receipt,
            [
                {"stock_id": shelf.keys[d.warehouse, d.sku], "quantity": d.quantity, "note": note}
                for d in deliveries
            ],
        )
        shelf.add(came)
        shelf.write()


def _set_aside(orders: Mapping[Ref, Counter[str]], shelf: Shelf, record: Record) -> dict[UUID, str]:
    """Make the reservation of each order, which wants so many units per SKU. Returns the states they are in."""
    rows: list[Row] = []
    lines: list[Row] = []
    states: dict[UUID, str] = {}
    for ref, wanted in orders.items():
        taken = allocate(wanted, shelf.free)
        if taken is None:
            states[ref.id] = State.REJECTED
            short = missing(wanted, shelf.free)
            rows.append(_row(ref, State.REJECTED, f"out of stock: {', '.join(short)}"[:300]))
            record.publish(InventoryRejected(ref=ref, reason="out of stock", skus=short))
        else:
            states[ref.id] = State.RESERVED
            rows.append(_row(ref, State.RESERVED))
            lines += _lines(ref, taken, shelf)
            record.publish(InventoryReserved(ref=ref, warehouses=sorted({code for code, _ in taken})))
    Reservation.begin_all(rows)
    insert(ReservationLine, lines)
    shelf.write()
    return states


def _lines(ref: Ref, taken: Mapping[tuple[str, str], int], shelf: Shelf) -> list[Row]:
    shelf.take(taken)
    return [
        {"reservation_id": ref.id, "stock_id": shelf.keys[place], "quantity": quantity}
        for place, quantity in taken.items()
    ]


def _wanted(order: OrderLines) -> Counter[str]:
    wanted: Counter[str] = Counter()
    for line in order.lines:
        wanted[line.sku] += line.quantity
    return wanted


def _row(ref: Ref, state: str, reason: str = "") -> Row:
    return {"order_id": ref.id, "number": ref.number, "state": state, "reason": reason}
