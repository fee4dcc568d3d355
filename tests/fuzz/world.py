"""A shop worth attacking: products, two customers with tokens, and orders of theirs with a timeline."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import msgspec
from django.contrib.auth.models import User
from django.test import Client
from knox.models import AuthToken

from orders.lookups import DeliveryAddress
from orders.models import Order, Outbox
from orders.placement import PlaceOrder, WantedLine, place_orders
from orders.webhooks.api.fields import NAMED
from orders.webhooks.kinds import KINDS
from orders.webhooks.models import WebhookDelivery
from orders.webhooks.registering import ping, register
from shop.management.commands.seed import CATALOGUE, fill_shelves
from shop.messaging.delivery import deliver_to_be_noted
from shop.messaging.events import StepFailed, to_payload

ORDERS = 6  # of each
SPARE = 400  # tokens to be thrown away, one for each logging out; then they come round again
LISTS = (
    "/api/v1/orders/",
    "/api/v1/orders/{id}/timeline/",
    "/api/v1/products/",
    "/api/v1/webhooks/{id}/deliveries/",
)
PASSWORD = "a password for tests"


def make_world() -> dict[str, Any]:
    """What ``tests.fuzz.hooks`` and the configuration need to know of it."""
    fill_shelves()
    ada, eve = (User.objects.create_user(name, password=PASSWORD) for name in ("ada", "eve"))
    ids = _order(ada.pk)
    _order(eve.pk)
    webhooks = _webhooks(ada.pk)
    _webhooks(eve.pk)
    spare = [AuthToken.objects.create(ada)[1] for _ in range(SPARE)]
    tokens = {user.username: AuthToken.objects.create(user)[1] for user in (ada, eve)}
    client = Client(headers={"Authorization": f"Token {tokens['ada']}"})
    return {
        "skus": sorted(CATALOGUE),
        "currencies": ["GBP"],  # in which they are sold
        "servers": NAMED,
        "orders": ids,
        "webhooks": webhooks,
        "tokens": tokens,
        "spare": spare,
        "cursors": {
            path: _cursors(client, path.replace("{id}", (webhooks if "webhooks" in path else ids)[0]))
            for path in LISTS
        },
    }


def _order(customer: int) -> list[str]:
    address = DeliveryAddress(
        name="Ada Byron", line1="12 St James's Sq", city="London", postcode="N1", country="GB"
    )
    place_orders(
        [
            PlaceOrder(
                customer_id=customer,
                idempotency_key=uuid4().hex,
                lines=[WantedLine("MUG-RED", 1), WantedLine("TEA-MINT", 2)],
                currency="GBP",
                payment_method="pm_card_approved",
                email="ada@example.com",
                address=address,
                style=None,
            )
            for _ in range(ORDERS)
        ]
    )
    orders = Order.objects.filter(customer_id=customer)
    rows = Outbox.objects.filter(order_id__in=orders.values("uuid"))
    failed = [StepFailed(ref=order.ref, operation="a.step", error="It broke.") for order in orders]
    told = [[row.type, row.payload] for row in rows] + [["StepFailed", to_payload(one)] for one in failed]
    deliver_to_be_noted("orders", msgspec.json.encode(told).decode())
    return [str(order.uuid) for order in orders]


def _webhooks(customer: int) -> list[str]:
    """Three, each with two messages that nobody sends."""
    found = [register(customer, f"https://example.com/{number}", list(KINDS)[:1]) for number in range(3)]
    for endpoint in found:
        for _ in range(2):
            ping(endpoint)
            endpoint.deliveries.update(state=WebhookDelivery.State.DELIVERED)
    return [str(endpoint.uuid) for endpoint in found]


def _cursors(client: Client, path: str) -> list[str]:
    """The places where pages of one begin."""
    found: list[str] = []
    address = f"{path}?page_size=1"
    while address and len(found) < 3:
        address = client.get(address).json()["next"]
        if address:
            found += parse_qs(urlsplit(address).query)["cursor"]
    assert found, f"{path} has one page only."
    return found
