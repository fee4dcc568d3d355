"""Webhooks of the running shop, in both styles: each change arrives, whoever is down or dies meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from orders.models import Order
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from orders.webhooks.registering import register
from tests.live import Live
from tests.receiver import Receiver

CUSTOMER = 1  # who places what `live` places
WAY = [f"order.{word}" for word in ("placed", "reserved", "paid", "shipped", "completed")]
BACK = ["order.placed", "order.reserved", "order.cancelling", "order.cancelled"]
both_styles = pytest.mark.parametrize("style", settings.STYLES)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def endpoint(live: Live, receiver: Receiver) -> Iterator[WebhookEndpoint]:
    endpoint = register(CUSTOMER, receiver.url("/hook"), [])
    yield endpoint
    endpoint.delete()


def told_of(receiver: Receiver, order: Order) -> dict[str, set[str]]:
    """The kinds of messages that have come of an order, each with the ids under which it came."""
    found: dict[str, set[str]] = {}
    for one in receiver.received:
        if one.data["data"]["order"]["id"] == str(order.uuid):
            found.setdefault(one.kind, set()).add(one.id)
    return found


def wait_until_told(live: Live, receiver: Receiver, order: Order, kinds: list[str]) -> None:
    """Until each of these changes has come, and is known to have."""
    live.wait_for(
        lambda: told_of(receiver, order).keys() == set(kinds),
        lambda: f"{kinds} came of {order.number}: {told_of(receiver, order).keys()}",
    )
    undone = WebhookDelivery.objects.filter(order_id=order.uuid).exclude(state="delivered")
    live.wait_for(lambda: not undone.exists(), "what has come is recorded")
    assert all(len(ids) == 1 for ids in told_of(receiver, order).values())


@both_styles
def test_each_change_of_an_order_arrives_signed(
    style: str, live: Live, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    skus = live.products(5)
    (good,), (refused,) = live.place(style, skus), live.place(style, skus, card="declined")
    wait_until_told(live, receiver, good, WAY)
    wait_until_told(live, receiver, refused, BACK)
    for one in receiver.received:
        one.verify(endpoint.secret)
        assert "Ada" not in one.body.decode() + str(one.headers)
    for order, end in ((good, "completed"), (refused, "cancelled")):
        orders = [one.data["data"]["order"] for one in receiver.received]
        own = [one for one in orders if one["id"] == str(order.uuid)]
        assert max(own, key=lambda one: one["sequence"])["status"] == end
    live.wait_until_ended([good, refused])


def test_what_happened_while_the_receiver_was_down_arrives_when_it_is_up(
    live: Live, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    receiver.answers["/hook"] = 503
    (order,) = live.place(None, live.products(5))
    live.wait_until_ended([order])
    live.wait_for(lambda: WebhookEndpoint.objects.get(pk=endpoint.pk).failures, "it is known to be down")
    receiver.answers.clear()
    receiver.received.clear()
    wait_until_told(live, receiver, order, WAY)


def test_a_sender_killed_between_an_answer_and_its_record_loses_nothing(
    live: Live, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    armed = live.stack.arm("end answered order.paid")
    (order,) = live.place(None, live.products(5))
    live.wait_for(armed.taken, "the sender is killed")
    live.supervised_again()
    wait_until_told(live, receiver, order, WAY)
    live.wait_until_ended([order])
    paid = [one for one in receiver.received if one.kind == "order.paid"]
    assert len(paid) == 2
    assert len({one.id for one in paid}) == 1
