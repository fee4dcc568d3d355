"""What the customer reads."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from notifications.models import Mail
from notifications.services import send_confirmation
from shipping.models import Parcel, Shipment


def test_what_a_mail_says(place_order: Any, mailbox: None) -> None:
    ref = place_order(units=2)
    send_confirmation([ref])
    mail = Mail.objects.get()
    assert mail.text == (
        f"Hello Ada Byron,\n\nyour order {ref.number} has left our warehouse:\n\n"
        "  2 x Product A (A): GBP 10.00\n  2 x Product B (B): GBP 10.00\n\n"
        "Total: GBP 20.00\n\nThank you for your order.\n\n"
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
    assert "\n\nTrack it with the carrier: SB1, SB2\n\nThank you" in mail.text
    assert "<strong>SB1, SB2</strong>" in mail.html
