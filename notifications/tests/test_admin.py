"""Mails are read in the admin, found by order, and can do nothing there."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from notifications.models import Mail, Notification


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("ada"))
    return client


def mail(number: str, html: str = "") -> tuple[Mail, Notification]:
    told = Notification.objects.create(
        order_id=uuid4(), number=number, template="confirmation", event="OrderShipped"
    )
    text = "Hello <b>Ada</b>"
    subject = f"Your order {number} is on its way"
    return Mail.objects.create(
        message_id=told.message_id, to="ada@example.invalid", subject=subject, text=text, html=html
    ), told


def test_a_mail_is_shown_as_text_and_in_a_frame_that_may_do_nothing(client: Client) -> None:
    read, _ = mail("S-100001", '<p>Hello</p><script>alert("x")</script>"></iframe><img src=x>')
    page = client.get(reverse("admin:notifications_mail_change", args=[read.pk])).content.decode()
    assert "Hello &lt;b&gt;Ada&lt;/b&gt;" in page
    assert '<iframe sandbox=""' in page
    assert "default-src &#x27;none&#x27;" in page
    assert "alert(&quot;x&quot;)" in page
    assert "<img src=x>" not in page


def test_mails_are_found_by_their_order_and_not_by_a_longer_number(client: Client) -> None:
    wanted, told = mail("S-100001")
    other, _ = mail("S-1000011")
    for query in ("S-100001", "s-100001", str(told.order_id)):
        page = client.get(reverse("admin:notifications_mail_changelist"), {"q": query}).content.decode()
        assert wanted.subject in page
        assert other.subject not in page


def test_a_notification_leads_to_its_mail(client: Client) -> None:
    sent, told = mail("S-100001")
    page = client.get(reverse("admin:notifications_notification_change", args=[told.pk])).content.decode()
    assert reverse("admin:notifications_mail_change", args=[sent.pk]) in page
