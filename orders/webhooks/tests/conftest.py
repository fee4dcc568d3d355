"""An order whose customer has a webhook, and a server that is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from orders.models import Order
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from orders.webhooks.registering import register
from orders.webhooks.sender import Sender
from tests.receiver import Receiver

CUSTOMER = 1  # of `place_order`


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.WEBHOOKS = {**settings.WEBHOOKS, "ANYWHERE": True, "ANSWER_WITHIN": 0.5, "LOOK_EVERY": 0.02}


@pytest.fixture
def order(place_order: Any) -> Order:
    return Order.objects.get(uuid=place_order().id)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def endpoint(receiver: Receiver, db: None) -> WebhookEndpoint:
    return register(CUSTOMER, receiver.url("/hook"), [])


Message = Callable[..., WebhookDelivery]


@pytest.fixture
def message() -> Message:
    """Makes a message that is due."""

    def make(endpoint: WebhookEndpoint, **fields: Any) -> WebhookDelivery:
        now = timezone.now()
        defaults = {
            "kind": "order.paid",
            "order_id": uuid4(),
            "number": "S-100042",
            "status": "paid",
            "sequence": 1,
        }
        times = {"happened_at": now, "created_at": now, "due_at": now - timedelta(minutes=1)}
        return WebhookDelivery.objects.create(
            uuid=uuid4(), endpoint=endpoint, **{**defaults, **times, **fields}
        )

    return make


Run = Callable[[Callable[[], object]], None]


@pytest.fixture
def send() -> Run:
    """Runs a sender until something is so, and ends it as SIGTERM does. A sender that gets nowhere fails."""

    def run(until: Callable[[], object]) -> None:
        turns = iter(range(200))
        Sender(lambda: bool(until()) or next(turns, None) is None).run(lambda: None)
        assert until()

    return run
