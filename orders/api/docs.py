"""What the OpenAPI page says of each address under ``/api/v1/orders/``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from orders.api.entries import TimelineEntrySerializer
from orders.api.problems import Backlog
from orders.api.serializers import (
    CancellationSerializer,
    OrderDetailSerializer,
    OrderSerializer,
    PlaceOrderSerializer,
    ReceiptSerializer,
)
from orders.models import Order
from shop.base.api.openapi import documented
from shop.base.api.problems import MEDIA_TYPE, TYPES

TAG = "orders"
ID = "0b7cbb1c-3f0e-4a55-9d2e-0e4bc5f2a1b7"
HERE = f"/api/v1/orders/{ID}/"

ORDER = {
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
RECEIPT = {
    "id": ID,
    "number": "S-100042",
    "style": settings.FULFILLMENT_STYLE,
    "status": Order.Status.PLACED.value,
    "currency": "GBP",
    "total_minor": 2290,
    "total": "GBP 22.90",
    "placed_at": "2026-11-05T10:15:00.123456Z",
    "links": {"self": HERE, "timeline": f"{HERE}timeline/", "cancel": f"{HERE}cancel/"},
}


def problem(name: str, status: int, detail: str, at: str, **more: Any) -> OpenApiExample:
    value = {
        "type": f"{TYPES}{name}",
        "title": name.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": at,
    }
    return OpenApiExample(
        name, value | more, response_only=True, status_codes=[str(status)], media_type=MEDIA_TYPE
    )


KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,100}$", "minLength": 1, "maxLength": 100},
    OpenApiParameter.HEADER,
    required=True,
    description="New for each order; the same when the same request is sent again. 1 to 100 visible ASCII characters.",
    examples=[OpenApiExample("a UUID", "7f1f9d6c-5a40-4c55-9a0f-2f4c4a2c9d11")],
)
LOCATION = OpenApiParameter(
    "Location",
    OpenApiTypes.URI_REF,
    OpenApiParameter.HEADER,
    response=[202],
    description="Where the order is to be followed.",
)

placing = extend_schema(
    operation_id="place_order",
    tags=[TAG],
    parameters=[KEY, LOCATION],
    request=PlaceOrderSerializer,
    responses={
        202: OpenApiResponse(ReceiptSerializer, "Accepted. A repetition is answered the same."),
        **documented(400, 401, 413, 415, 422, 429),
    },
    examples=[
        OpenApiExample("two products", ORDER, request_only=True),
        OpenApiExample("accepted", RECEIPT, response_only=True, status_codes=["202"]),
        problem(
            "invalid-request",
            400,
            "Not as it should be: lines.0.sku",
            "/api/v1/orders/",
            errors=[{"field": "lines.0.sku", "detail": "There is no product 'MUG-RD' on sale."}],
        ),
        problem(
            "idempotency-key-reused",
            422,
            "This Idempotency-Key belongs to another request: use a new key for a new order.",
            "/api/v1/orders/",
        ),
        problem("backlog", 503, str(Backlog.default_detail), "/api/v1/orders/"),
    ],
)
listing = extend_schema(
    operation_id="list_orders",
    tags=[TAG],
    responses={200: OrderSerializer(many=True), **documented(400, 401, 429)},
)
detail = extend_schema(
    operation_id="get_order", tags=[TAG], responses={200: OrderDetailSerializer, **documented(401, 404, 429)}
)
timeline = extend_schema(
    operation_id="get_timeline",
    tags=[TAG],
    responses={200: TimelineEntrySerializer(many=True), **documented(400, 401, 404, 429)},
)
requesting_cancellation = extend_schema(
    operation_id="request_cancellation",
    tags=[TAG],
    request=None,
    responses={
        202: OpenApiResponse(CancellationSerializer, "The wish is noted. Asking again changes nothing."),
        200: OpenApiResponse(CancellationSerializer, "It is cancelled already."),
        **documented(401, 404, 409, 429),
    },
    examples=[
        problem(
            "too-late-to-cancel",
            409,
            "The order has been handed over to the carrier; it can only be returned.",
            f"{HERE}cancel/",
        )
    ],
)
