"""Webhooks as staff see them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from orders.models import Order
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from orders.webhooks.tests.conftest import Message

ENDPOINTS, MESSAGES = "/admin/orders/webhookendpoint/", "/admin/orders/webhookdelivery/"


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("bob"))
    return client


def press(client: Client, page: str, action: str, row: Any) -> str:
    answer = client.post(page, {"action": action, "_selected_action": row.pk}, follow=True)
    return answer.content.decode()


def test_no_page_shows_a_secret(
    staff: Client, order: Order, endpoint: WebhookEndpoint, message: Message
) -> None:
    row, ping = (
        message(endpoint, order_id=order.uuid),
        message(endpoint, order_id=None, number="", kind="webhook.ping"),
    )
    WebhookEndpoint.objects.update(
        old_secrets=[{"secret": "whsec_before", "until": "2126-11-27T00:00:00+00:00"}]
    )
    pages = [
        ENDPOINTS,
        MESSAGES,
        f"{ENDPOINTS}{endpoint.pk}/change/",
        f"{MESSAGES}?endpoint__id__exact={endpoint.pk}",
    ]
    for page in (*pages, f"{MESSAGES}{row.pk}/change/", f"{MESSAGES}{ping.pk}/change/"):
        answer = staff.get(page)
        assert answer.status_code == 200, page
        assert "whsec_" not in answer.content.decode()
        assert endpoint.secret.removeprefix("whsec_") not in answer.content.decode()
    assert order.number in staff.get(f"{MESSAGES}?q={order.number}").content.decode()


def test_staff_pause_and_resume(staff: Client, endpoint: WebhookEndpoint) -> None:
    assert "told nothing until it is resumed" in press(staff, ENDPOINTS, "pause", endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.reason) == ("paused", "Paused by bob.")
    assert "told nothing already" in press(staff, ENDPOINTS, "pause", endpoint)
    press(staff, ENDPOINTS, "resume", endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.reason) == ("on", "")


def test_staff_send_again(staff: Client, endpoint: WebhookEndpoint, message: Message) -> None:
    row = message(endpoint, state="failed", due_at=None, attempts=20)
    assert "under the same id" in press(staff, MESSAGES, "send_again", row)
    again = WebhookDelivery.objects.get()
    assert (again.state, again.attempts, again.uuid) == ("waiting", 0, row.uuid)
