"""Where the services keep what belongs to an order: addresses, only of what this person may see."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest
from django.urls import reverse

from orders.models import Order
from shop.base.admin.links import list_of, may_view


def places(request: HttpRequest, order: Order, service: str = "") -> list[tuple[str, str]]:
    """(name, address) of what the services keep of this order; or only one of them."""
    of_order = {"order_id": str(order.uuid)}
    found = [
        ("Payment", "payments", "payment", of_order),
        ("Reserved stock", "inventory", "reservation", of_order),
        ("Shipment", "shipping", "shipment", of_order),
        ("Parcels", "shipping", "parcel", {"q": str(order.uuid)}),
        ("Notifications", "notifications", "notification", of_order),
        ("Mails", "notifications", "mail", {"q": str(order.uuid)}),
    ]
    return [
        (name, list_of(app, model, **query))
        for name, app, model, query in found
        if service in ("", app) and may_view(request, app, model)
    ]


def labels(request: HttpRequest, order: Order, parcels: Mapping[str, str]) -> list[tuple[str, str]]:
    """(what it is for, address of the PDF) of each label of the order. ``parcels``: tracking numbers by warehouse."""
    if not may_view(request, "shipping", "parcel"):
        return []
    return [
        (
            f"Label {tracking} from {warehouse} (PDF)",
            reverse("admin:shipping_parcel_label_of", args=[order.uuid, warehouse]),
        )
        for warehouse, tracking in parcels.items()
        if tracking
    ]
