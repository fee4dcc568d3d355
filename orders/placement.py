"""Placing orders: the one door that the REST API and the importer share."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from inventory.lookups import Price
from orders.events import OrderCreated
from orders.lookups import DeliveryAddress
from orders.models import Order, OrderLine, Saga
from orders.saga import begun
from shop.base.lookups import ask
from shop.messaging.recording import recording


class WantedLine(msgspec.Struct, frozen=True):
    """``price_minor``: a price agreed on elsewhere, such as on an invoice; None: the catalogue's."""

    sku: str
    quantity: int
    price_minor: int | None = None


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer asks for. ``style`` None: as the setting says at placement."""

    customer_id: int
    idempotency_key: str
    lines: list[WantedLine]
    currency: str
    payment_method: str
    email: str
    address: DeliveryAddress
    style: str | None = None

    def digest(self) -> str:
        """The same for the same request, whatever key it came with."""
        return hashlib.sha256(
            msgspec.json.encode(msgspec.structs.replace(self, idempotency_key=""))
        ).hexdigest()


@dataclass(frozen=True)
class Placed:
    """Accepted, now or (``again``) by an earlier request with the same key and content."""

    order: Order
    again: bool = False


@dataclass(frozen=True)
class KeyTaken:
    """The idempotency key belongs to another request of this customer."""


@dataclass(frozen=True)
class NotPlaceable:
    """Which line cannot be ordered, and why."""

    line: int
    field: str
    reason: str


Answer = Placed | KeyTaken | NotPlaceable


def place_orders(requests: Sequence[PlaceOrder]) -> list[Answer]:
    """Accept each order, with its event, or say what is wrong with it. All in one transaction, in the given sequence.

    An idempotency key may stand only once among the requests.
    """
    prices: Mapping[str, Price] = ask(Price, {line.sku for request in requests for line in request.lines})
    for _ in range(3):
        try:
            return _place(requests, prices)
        except (
            IntegrityError
        ):  # the same request came in twice at this moment; now the other one's order is there
            continue
    return _place(requests, prices)


def _place(requests: Sequence[PlaceOrder], prices: Mapping[str, Price]) -> list[Answer]:
    known = _placed_before(requests)
    answers: dict[int, Answer] = {}
    orders: dict[int, Order] = {}
    for index, request in enumerate(requests):
        if earlier := known.get((request.customer_id, request.idempotency_key)):
            same = earlier.request_digest == request.digest()
            answers[index] = Placed(earlier, again=True) if same else KeyTaken()
        elif problem := _problem(request, prices):
            answers[index] = problem
        else:
            orders[index] = _order(request, prices)
    if orders:
        _store({index: requests[index] for index in orders}, orders, prices)
    return [answers[index] if index in answers else Placed(orders[index]) for index in range(len(requests))]


def _store(
    requests: Mapping[int, PlaceOrder], orders: Mapping[int, Order], prices: Mapping[str, Price]
) -> None:
    with recording("orders") as record:
        Order.objects.bulk_create(orders.values())
        Saga.objects.bulk_create(begun(order) for order in orders.values())
        lines = [
            OrderLine(order=order, sku=sku, name=prices[sku].name, quantity=quantity, price_minor=price)
            for index, order in orders.items()
            for (sku, price), quantity in _merged(requests[index], prices).items()
        ]
        OrderLine.objects.bulk_create(lines)
        line_counts = Counter(line.order_id for line in lines)
        for order in orders.values():
            record.publish(
                OrderCreated(
                    ref=order.ref,
                    currency=order.currency,
                    total_minor=order.total_minor,
                    line_count=line_counts[order.pk],
                )
            )


def _placed_before(requests: Sequence[PlaceOrder]) -> dict[tuple[int, str], Order]:
    same_key = Q(pk=None)
    for request in requests:
        same_key |= Q(customer_id=request.customer_id, idempotency_key=request.idempotency_key)
    return {(order.customer_id, order.idempotency_key): order for order in Order.objects.filter(same_key)}


def _problem(request: PlaceOrder, prices: Mapping[str, Price]) -> NotPlaceable | None:
    for index, line in enumerate(request.lines):
        if line.sku not in prices:
            return NotPlaceable(index, "sku", f"There is no product {line.sku!r} on sale.")
        if prices[line.sku].currency != request.currency:
            wrong = f"{line.sku!r} is sold in {prices[line.sku].currency}, not in {request.currency}."
            return NotPlaceable(index, "sku", wrong)
    if not any(price * units for (_, price), units in _merged(request, prices).items()):
        return NotPlaceable(0, "sku", "The order comes to nothing: there would be nothing to pay.")
    return None


def _order(request: PlaceOrder, prices: Mapping[str, Price]) -> Order:
    return Order(
        customer_id=request.customer_id,
        style=request.style or settings.FULFILLMENT_STYLE,
        currency=request.currency,
        total_minor=sum(price * units for (_, price), units in _merged(request, prices).items()),
        payment_method=request.payment_method,
        email=request.email,
        idempotency_key=request.idempotency_key,
        request_digest=request.digest(),
        placed_at=timezone.now(),
        **msgspec.structs.asdict(request.address),
    )


def _merged(request: PlaceOrder, prices: Mapping[str, Price]) -> Counter[tuple[str, int]]:
    """Units per (SKU, price): the same product twice in a request is one line of the order."""
    merged: Counter[tuple[str, int]] = Counter()
    for line in request.lines:
        price = prices[line.sku].price_minor if line.price_minor is None else line.price_minor
        merged[line.sku, price] += line.quantity
    return merged
