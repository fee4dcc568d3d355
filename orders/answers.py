"""Orders's answers to what other apps ask of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from orders import search
from orders.lookups import AmountDue, Contact, DeliveryAddress, Line, OrderLines
from orders.models import Order, OrderLine
from shop.base.admin.search import AT_MOST, OrdersMeant
from shop.base.lookups import answers
from shop.messaging.rows import as_array, execute, select

LINES_WITH_THEIR_ORDER = """
    SELECT "order".uuid, currency, total_minor, sku, line.name, quantity, price_minor
    FROM orders_order AS "order" JOIN orders_orderline AS line ON line.order_id = "order".id
    WHERE "order".uuid = ANY(%s::uuid[]) ORDER BY line.id
"""


@answers(OrderLines)
def order_lines(order_ids: Collection[UUID]) -> Mapping[UUID, OrderLines]:
    found: dict[UUID, OrderLines] = {}
    rows = execute(OrderLine, LINES_WITH_THEIR_ORDER, as_array(order_ids), fetch=True)
    for order_id, currency, total, *line in rows:
        if order_id not in found:
            found[order_id] = OrderLines(currency=currency, total_minor=total, lines=[])
        found[order_id].lines.append(Line(*line))
    return found


@answers(AmountDue)
def amounts_due(order_ids: Collection[UUID]) -> Mapping[UUID, AmountDue]:
    rows = select(Order, ("uuid", "total_minor", "currency", "payment_method"), "uuid", order_ids)
    return {
        order_id: AmountDue(amount_minor=total, currency=currency, method=method)
        for order_id, total, currency, method in rows
    }


@answers(DeliveryAddress)
def delivery_addresses(order_ids: Collection[UUID]) -> Mapping[UUID, DeliveryAddress]:
    fields = DeliveryAddress.__struct_fields__  # called as the order's are
    rows = select(Order, ("uuid", *fields), "uuid", order_ids)
    return {order_id: DeliveryAddress(*address) for order_id, *address in rows}


@answers(Contact)
def contacts(order_ids: Collection[UUID]) -> Mapping[UUID, Contact]:
    rows = select(Order, ("uuid", "name", "email"), "uuid", order_ids)
    return {order_id: Contact(name=name, email=email) for order_id, name, email in rows}


@answers(OrdersMeant)
def orders_meant(texts: Collection[str]) -> Mapping[str, OrdersMeant]:
    orders = Order.objects.order_by("-id")
    return {
        text: OrdersMeant(list(search.found(orders, text).values_list("uuid", flat=True)[:AT_MOST]))
        for text in texts
    }
