"""An order as the OpenAPI page shows it, from its placement to its end. A test sends them and reads them."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from orders.models import Order, TimelineEntry
from orders.process import PER_WAREHOUSE, PROCESS, UNDONE_BY, awaited
from payments.events import PaymentFailed

ID = "0b7cbb1c-3f0e-4a55-9d2e-0e4bc5f2a1b7"
ALL = "/api/v1/orders/"
HERE = f"{ALL}{ID}/"
LINKS = {"self": HERE, "timeline": f"{HERE}timeline/", "cancel": f"{HERE}cancel/"}

ORDER: dict[str, Any] = {
    "lines": [{"sku": "MUG-RED", "quantity": 2}, {"sku": "TEA-EARL", "quantity": 1}],
    "currency": "GBP",
    "payment_method": "pm_card_approved",
    "email": "ada@example.com",
    "address": {
        "name": "Ada Byron",
        "line1": "12 St James's Square",
        "city": "London",
        "postcode": "SW1Y 4LB",
        "country": "GB",
    },
    "style": settings.FULFILLMENT_STYLE,
}
RECEIPT: dict[str, Any] = {
    "id": ID,
    "number": "S-100042",
    "style": settings.FULFILLMENT_STYLE,
    "status": Order.Status.PLACED.value,
    "currency": "GBP",
    "total_minor": 2290,
    "total": "GBP 22.90",
    "placed_at": "2026-11-05T10:15:00.123456Z",
    "links": LINKS,
}
LISTED = RECEIPT | {"status": Order.Status.COMPLETED.value, "ended_at": "2026-11-05T10:15:01.654321Z"}
PARCELS = [{"warehouse": "NORTH", "tracking": "SB1000000042"}]
_SHOWN = {
    "email": ORDER["email"],
    "address": ORDER["address"],
    "lines": [
        {
            "sku": "MUG-RED",
            "name": "Mug, red",
            "quantity": 2,
            "price_minor": 850,
            "price": "GBP 8.50",
            "total_minor": 1700,
        },
        {
            "sku": "TEA-EARL",
            "name": "Earl Grey, 250 g",
            "quantity": 1,
            "price_minor": 590,
            "price": "GBP 5.90",
            "total_minor": 590,
        },
    ],
}
COMPLETED = LISTED | _SHOWN | {"waiting": None, "cancellation": None, "parcels": PARCELS}
BEING_CANCELLED = (
    RECEIPT
    | _SHOWN
    | {
        "status": Order.Status.CANCELLING.value,
        "ended_at": None,
        "waiting": {
            "reached": PROCESS[1].position,
            "undone": UNDONE_BY[PaymentFailed],
            "text": awaited(UNDONE_BY[PaymentFailed]).meanwhile,
            "attempt": 0,
            "next_look": "2026-11-05T10:15:05.123456Z",
            "trouble": "",
        },
        "cancellation": {"reason": "The card was declined.", "by": "shop"},
        "parcels": [],
    }
)
ENTRY = {
    "id": "0198c2f0-52c1-7c5e-8f11-2a6b1f0c9d3e",
    "cause": "0198c2f0-51a0-7d02-9a55-0c1d2e3f4a5b",
    "at": "2026-11-05T10:15:00.723456Z",
    "service": PER_WAREHOUSE.service,
    "event": PER_WAREHOUSE.done.__name__,
    "kind": TimelineEntry.Kind.FORWARD.value,
    "text": "1 parcel has its label",
    "by": "system",
    "reason": "",
    "parcels": PARCELS,
    "waited_s": 0.0112,
    "worked_s": 0.0041,
    "outside_s": 0.0207,
}


def cancellation(status: Order.Status, detail: str) -> dict[str, Any]:
    return {"id": ID, "number": "S-100042", "status": status.value, "detail": detail, "links": LINKS}
