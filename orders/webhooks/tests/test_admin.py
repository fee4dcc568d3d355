"""Webhooks as staff see them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from django.utils.formats import localize
from django.utils.timezone import localtime

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


def test_a_message_says_when_it_is_really_sent_next(
    staff: Client, endpoint: WebhookEndpoint, message: Message
) -> None:
    row = message(endpoint)  # it was due a minute ago
    rests = timezone.now() + timedelta(minutes=5)

    def next_said(**of_endpoint: Any) -> str:
        WebhookEndpoint.objects.update(**of_endpoint)
        page = staff.get(MESSAGES).content.decode()
        (said,) = re.findall(r'field-due[^>]*>(?:<span class="when">)?([^<]*)', page)
        return str(said)

    assert next_said() == "now"
    assert next_said(resting_until=rests, failing_since=timezone.now()) == localize(localtime(rests))
    assert next_said(state="paused") == "once its webhook is resumed"
    WebhookDelivery.objects.filter(pk=row.pk).update(endpoint=0)
    assert next_said() == "-", "its webhook was deleted while it was made"


def test_a_webhook_that_fails_is_not_shown_as_simply_on(staff: Client, endpoint: WebhookEndpoint) -> None:
    since = timezone.now()
    for state, words in (
        ("on", f"on, but fails since {localize(localtime(since))}"),
        ("paused", "paused by staff"),
    ):
        WebhookEndpoint.objects.update(state=state, failing_since=since)
        page = staff.get(ENDPOINTS).content.decode()
        assert f">{words}</span>" in page
        assert "column-failing" not in page
        assert words in staff.get(f"{ENDPOINTS}{endpoint.pk}/change/").content.decode()


def test_what_waits_for_a_webhook_is_sent_at_once_when_it_is_resumed(
    staff: Client, endpoint: WebhookEndpoint, message: Message
) -> None:
    message(endpoint, attempts=9, due_at=timezone.now() + timedelta(hours=6))
    press(staff, ENDPOINTS, "pause", endpoint)
    assert "what waits for it at once" in press(staff, ENDPOINTS, "resume", endpoint)
    due = WebhookDelivery.objects.get().due_at
    assert due
    assert due <= timezone.now()
