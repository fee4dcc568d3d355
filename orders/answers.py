"""Orders's answers to what other apps ask of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from orders.lookups import AmountDue, Contact, DeliveryAddress, Line, OrderLines
from orders.models import Order, OrderLine
from shop.base.lookups import answers


@answers(OrderLines)
def order_lines(order_ids: Collection[UUID]) -> Mapping[UUID, OrderLines]:
    lines: dict[int, list[Line]] = defaultdict(list)
    rows = OrderLine.objects.filter(order__uuid__in=order_ids)
    for order, sku, name, quantity, price in rows.values_list(
        "order", "sku", "name", "quantity", "price_minor"
    ):
        lines[order].append(Line(sku=sku, name=name, quantity=quantity, price_minor=price))
    return {
        order.uuid: OrderLines(currency=order.currency, total_minor=order.total_minor, lines=lines[order.pk])
        for order in Order.objects.filter(uuid__in=order_ids)
    }


@answers(AmountDue)
def amounts_due(order_ids: Collection[UUID]) -> Mapping[UUID, AmountDue]:
    return {
        order.uuid: AmountDue(
            amount_minor=order.total_minor, currency=order.currency, method=order.payment_method
        )
        for order in Order.objects.filter(uuid__in=order_ids)
    }


@answers(DeliveryAddress)
def delivery_addresses(order_ids: Collection[UUID]) -> Mapping[UUID, DeliveryAddress]:
    return {
        order.uuid: DeliveryAddress(
            name=order.name,
            line1=order.line1,
            city=order.city,
            postcode=order.postcode,
            country=order.country,
        )
        for order in Order.objects.filter(uuid__in=order_ids)
    }


@answers(Contact)
def contacts(order_ids: Collection[UUID]) -> Mapping[UUID, Contact]:
    orders = Order.objects.filter(uuid__in=order_ids)
    return {order.uuid: Contact(name=order.name, email=order.email) for order in orders}
