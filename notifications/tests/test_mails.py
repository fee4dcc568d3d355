"""What the customer reads."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from notifications.models import Mail
from notifications.services import send_cancellation_notice, send_confirmation
from shipping.models import Parcel, Shipment
from shop.base.tracking import tracking_link


def test_what_a_mail_says(place_order: Any, mailbox: None) -> None:
    ref = place_order(units=2)
    send_confirmation([ref])
    mail = Mail.objects.get()
    assert mail.text == (
        f"Hello Ada Byron,\n\nyour order {ref.number} has left our warehouse:\n\n"
        "  2 x Product A (A): GBP 10.00\n  2 x Product B (B): GBP 10.00\n\n"
        f"Total: GBP 20.00\n\nYour order: {tracking_link(ref.id)}\n\nThank you for your order.\n\n"
    )
    assert f"your order <strong>{ref.number}</strong> has left our warehouse" in mail.html
    assert "Track it" not in mail.text + mail.html
    assert '</td><td>Product B (B)</td><td align="right">GBP 10.00</td>' in mail.html


def test_a_mail_tells_the_carriers_numbers(place_order: Any, mailbox: None) -> None:
    ref = place_order()
    Shipment.objects.create(order_id=ref.id, number=ref.number, state="handed_over")
    for warehouse, tracking in (("NORTH", "SB1"), ("SOUTH", "SB2")):
        Parcel.objects.create(
            shipment_id=ref.id, warehouse=warehouse, key=uuid4().hex, tracking=tracking, state="handed_over"
        )
    send_confirmation([ref])
    mail = Mail.objects.get()
    assert "\n\nTrack it with the carrier: SB1, SB2\n\nYour order: http" in mail.text
    assert "<strong>SB1, SB2</strong>" in mail.html


@pytest.mark.parametrize("send", [send_confirmation, send_cancellation_notice])
def test_every_mail_has_the_link_to_the_orders_page(
    place_order: Any, mailbox: None, settings: Any, send: Any
) -> None:
    settings.PUBLIC_URL = "https://shop.example/"
    ref = place_order()
    send([ref])
    mail, link = Mail.objects.get(), tracking_link(ref.id)
    assert link.startswith("https://shop.example/track/")
    assert f"Your order: {link}\n" in mail.text
    assert f'<a href="{link}">See your order</a>' in mail.html
