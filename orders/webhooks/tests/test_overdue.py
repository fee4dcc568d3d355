"""That nobody sends webhooks is said in the control room."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from orders.webhooks.tests.conftest import Message
from shop.web.control.attention import concerns
from shop.web.control.numbers import take


def said() -> list[str]:
    return [concern.first for concern in concerns(take()) if "Webhooks" in concern.first]


def test_messages_that_nobody_sends_need_looking_at_and_those_that_rest_do_not(
    endpoint: WebhookEndpoint, message: Message
) -> None:
    message(endpoint)
    assert said() == []
    WebhookDelivery.objects.update(due_at=timezone.now() - timedelta(minutes=10, seconds=5))
    (sentence,) = said()
    assert sentence.startswith("Webhooks have waited to be sent for 10 min")
    WebhookEndpoint.objects.update(resting_until=timezone.now() + timedelta(minutes=1))
    assert said() == []
