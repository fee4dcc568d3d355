"""A payment's page says what became of it, and leads to its order."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from payments.models import Payment


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"state": "charged", "amount_minor": 2500, "currency": "GBP"}, "GBP 25.00, taken"),
        (
            {"state": "refunded", "amount_minor": 2500, "currency": "GBP", "refunded_minor": 2500},
            "GBP 25.00, given back",
        ),
        ({"state": "failed", "amount_minor": 2500, "currency": "GBP"}, "GBP 25.00, refused"),
        ({"state": "void"}, "never taken"),
        ({"state": "refunded", "amount_minor": 2500, "currency": "GBP"}, "GBP 25.00, never taken"),
    ],
)
def test_a_payments_page_says_what_became_of_it(db: None, values: dict[str, object], said: str) -> None:
    client, order_id = Client(), uuid4()
    client.force_login(get_user_model().objects.create_superuser("ada"))
    payment = Payment.objects.create(order_id=order_id, number="S-100042", **values)
    page = client.get(reverse("admin:payments_payment_change", args=[payment.pk])).content.decode()
    assert f"<h1>Payment of S-100042: {said}</h1>" in page
    assert reverse("admin:orders_order_find", args=[order_id]) in page
    assert "historylink" not in page
    assert "GBP 0.00" not in page
