"""Staff correct what a customer gave, in the running shop: the order goes on, and nobody pays twice."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from orders.models import Order, Saga
from shipping.models import Inbox, Parcel
from shop.tools.audit.run import audit
from tests.live import ADDRESS, Live

pytestmark = pytest.mark.scenario


def test_orders_parked_over_an_address_get_another_one_and_complete(live: Live) -> None:
    """One in each style, at once: the carrier can't read the address, and says so until the attempts are over."""
    north, south = live.products(10)
    orders = [live.place(style, [north, south], postcode="GARBLED 1")[0] for style in settings.STYLES]
    ids = [order.uuid for order in orders]
    sagas = Saga.objects.filter(order__in=orders)
    live.wait_for(lambda: not sagas.filter(last_error="").exists(), "both have failed")
    # The attempts in between, which nobody need sit through.
    sagas.filter(state="running", attempt__lt=5).update(attempt=5)
    Inbox.objects.filter(order_id__in=ids, state="failing", attempts__lt=5).update(attempts=5)
    live.wait_for(lambda: sagas.filter(state="parked").count() == len(orders), "both are parked")
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(uuid4().hex))
    address = {name: getattr(ADDRESS, name) for name in ADDRESS.__struct_fields__}
    for order in orders:
        page = reverse("admin:orders_order_address", args=[order.pk])
        answer = client.post(page, {**address, "postcode": "N1 9GU"}, follow=True)
        assert "The address is corrected" in answer.content.decode()
    live.wait_until_ended(orders)
    for order in orders:
        traces = live.traces(order)
        assert (traces.status, traces.charges, traces.charged_minor) == ("completed", 1, 1000)
        assert (traces.parcels, traces.mails) == (["handed_over"] * 2, ["confirmation"])
        assert Order.objects.get(pk=order.pk).postcode == "N1 9GU"
        assert all(Parcel.objects.filter(shipment=order.uuid).values_list("withdrawn", flat=True))
    assert live.stock(north) == live.stock(south) == (8, 0)
    numbers = {order.number for order in orders}
    report = audit()
    assert [violation for violation in report.violations if numbers & set(violation.sentence.split())] == []
