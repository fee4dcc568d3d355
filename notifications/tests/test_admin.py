"""Mails are read in the admin, found by order, and can do nothing there."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

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


def mail(number: str, html: str = "", order_id: UUID | None = None) -> tuple[Mail, Notification]:
    told = Notification.objects.create(
        order_id=order_id or uuid4(), number=number, template="confirmation", event="OrderShipped"
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
    frame = reverse("admin:notifications_mail_html", args=[read.pk])
    assert f'<iframe sandbox="" title="The mail" src="{frame}"></iframe>' in page
    assert "alert" not in page
    shown = client.get(frame)
    assert shown.content.decode() == read.html
    assert shown["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert shown["Content-Security-Policy"].endswith("; sandbox")
    assert shown["X-Frame-Options"] == "SAMEORIGIN"
    assert Client().get(frame).status_code == 302


def test_mails_are_found_by_their_order_and_no_others_are(client: Client, place_order: Any) -> None:
    one, other = place_order(), place_order()
    wanted, _ = mail(one.number, order_id=one.id)
    unwanted, _ = mail(other.number, order_id=other.id)
    for query in (one.number, one.number.lower(), str(one.id)):
        page = client.get(reverse("admin:notifications_mail_changelist"), {"q": query}).content.decode()
        assert wanted.subject in page
        assert unwanted.subject not in page


def test_a_notification_leads_to_its_mail(client: Client) -> None:
    sent, told = mail("S-100001")
    page = client.get(reverse("admin:notifications_notification_change", args=[told.pk])).content.decode()
    assert reverse("admin:notifications_mail_change", args=[sent.pk]) in page
