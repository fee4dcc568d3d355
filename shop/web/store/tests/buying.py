"""What a customer does on the way to an order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.test import Client

from orders.models import Order

FORM = {
    "name": "Ada Byron",
    "line1": "12 St James's Sq",
    "postcode": "SW1Y",
    "city": "London",
    "country": "GB",
    "email": "ada@example.com",
    "payment_method": "pm_card_approved",
}


def put(client: Client, sku: str = "MUG", quantity: object = 1, **headers: str) -> Any:
    return client.post("/basket/add/", {"sku": sku, "quantity": quantity}, headers=headers)


def text_of(answer: Any) -> str:
    """The page as it is read: without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def form_of(client: Client, **changes: str) -> dict[str, str]:
    """The form of checkout as it is shown, filled in."""
    page = client.get("/checkout/").content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(key|total)" value="([^"]*)"', page))
    assert hidden.keys() == {"key", "total"}, page
    return {**FORM, **hidden, **changes}


def post(client: Client, address: str, form: Mapping[str, object] | None = None, **more: Any) -> Any:
    return client.post(address, form or {}, **more)


def send(client: Client, form: dict[str, str]) -> Any:
    return post(client, "/checkout/", form)


def bought(client: Client, sku: str = "MUG", **changes: str) -> Order:
    put(client, sku)
    answer = send(client, form_of(client, **changes))
    assert answer.status_code == 302, text_of(answer)
    return Order.objects.get(uuid=answer.url.split("/")[2])
