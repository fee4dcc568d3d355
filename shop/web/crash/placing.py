"""Orders to be broken in on: as a customer would place them, in both styles."""

from __future__ import annotations

import random
from itertools import cycle, islice
from uuid import uuid4

from django.conf import settings
from django.db.models import F

from inventory.models import Stock
from orders.lookups import DeliveryAddress
from orders.placement import Placed, PlaceOrder, WantedLine, place_orders

SET_SIZE = 50  # orders in one transaction
PRODUCTS = 8  # of which an order has two or three: those with most in stock
LEAST = 100  # free units
ADDRESS = DeliveryAddress(
    name="Demo Customer", line1="1 Example Street", city="London", postcode="N1 1AA", country="GB"
)


class NothingToSell(Exception):
    """No product has enough in stock. Take some in, or run `seed`."""


def place(count: int, customer_id: int) -> list[int]:
    """The keys of the orders that were accepted. Raises NothingToSell."""
    currency, skus = _products()
    lines = cycle((2, 3, 3, 2))  # of an order, in either style as often
    requests = [
        PlaceOrder(
            customer_id=customer_id,
            idempotency_key=f"crash-{uuid4()}",
            lines=[WantedLine(sku, 1) for sku in random.sample(skus, min(len(skus), next(lines)))],
            currency=currency,
            payment_method="pm_card_approved",
            email="demo@example.com",
            address=ADDRESS,
            style=style,
        )
        for style in islice(cycle(settings.STYLES), count)
    ]
    answers = [
        answer
        for begin in range(0, count, SET_SIZE)
        for answer in place_orders(requests[begin : begin + SET_SIZE])
    ]
    return [answer.order.pk for answer in answers if isinstance(answer, Placed)]


def _products() -> tuple[str, list[str]]:
    rows = (
        Stock.objects.annotate(to_sell=F("on_hand") - F("reserved"))
        .filter(product__on_sale=True, to_sell__gte=LEAST)
        .order_by("-to_sell")
        .values_list("product__currency", "product__sku")
    )
    found = list(rows[: PRODUCTS * 2])
    if not found:
        raise NothingToSell("No product has enough in stock. Take some in, or run `manage.py seed`.")
    currency = found[0][0]
    return currency, list(dict.fromkeys(sku for its, sku in found if its == currency))[:PRODUCTS]
