"""What the OpenAPI page says of each address under ``/api/v1/orders/``."""

from __future__ import annotations

from http import HTTPStatus

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from orders.api import examples
from orders.api.entries import TimelineEntrySerializer
from orders.api.examples import ALL, HERE
from orders.api.problems import Backlog, KeyReused, TooLateToCancel
from orders.api.serializers import (
    CancellationSerializer,
    OrderDetailSerializer,
    OrderSerializer,
    PlaceOrderSerializer,
    ReceiptSerializer,
)
from orders.models import Order
from orders.services import Cancellation
from shop.base.api.openapi import documented, problem

TAG = "orders"
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
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    response=[202],
    description="`true`: the order was placed by an earlier request with this key. It is not there otherwise.",
)


def answer(name: str, status: int, value: object) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])


placing = extend_schema(
    operation_id="place_order",
    summary="Place an order",
    tags=[TAG],
    parameters=[KEY, LOCATION, REPLAYED],
    request=PlaceOrderSerializer,
    responses={
        202: OpenApiResponse(ReceiptSerializer, "Accepted. A repetition is answered the same."),
        **documented(401, 413, 415, 422, 429, at=ALL),
    },
    examples=[
        OpenApiExample("two products", examples.ORDER, request_only=True),
        answer("accepted", 202, examples.RECEIPT),
        problem(
            HTTPStatus.BAD_REQUEST,
            "",
            ALL,
            errors=[{"field": "lines.0.sku", "detail": "There is no product 'MUG-RD' on sale."}],
            called="a product that is not there",
        ),
        problem(HTTPStatus.UNPROCESSABLE_ENTITY, KeyReused.default_detail, ALL, KeyReused.name),
        problem(HTTPStatus.SERVICE_UNAVAILABLE, str(Backlog.default_detail), ALL, Backlog.name),
    ],
)
listing = extend_schema(
    operation_id="list_orders",
    summary="List your orders",
    tags=[TAG],
    responses={
        200: OpenApiResponse(OrderSerializer(many=True), "A page of them."),
        **documented(401, 429, at=ALL),
    },
    examples=[answer("a page", 200, examples.LISTED)],
)
detail = extend_schema(
    operation_id="get_order",
    summary="See an order",
    tags=[TAG],
    responses={
        200: OpenApiResponse(OrderDetailSerializer, "The order."),
        **documented(401, 404, 429, at=HERE),
    },
    examples=[
        answer("at its end", 200, examples.COMPLETED),
        answer("being cancelled", 200, examples.BEING_CANCELLED),
    ],
)
timeline = extend_schema(
    operation_id="get_timeline",
    summary="Read what happened to an order",
    tags=[TAG],
    responses={
        200: OpenApiResponse(TimelineEntrySerializer(many=True), "A page of its entries."),
        **documented(401, 404, 429, at=f"{HERE}timeline/"),
    },
    examples=[answer("an entry", 200, examples.ENTRY)],
)
requesting_cancellation = extend_schema(
    operation_id="request_cancellation",
    summary="Ask for an order to be cancelled",
    tags=[TAG],
    request=None,
    responses={
        202: OpenApiResponse(CancellationSerializer, "The wish is noted. Asking again changes nothing."),
        200: OpenApiResponse(CancellationSerializer, "It is cancelled already."),
        **documented(401, 404, 409, 413, 415, 429, at=f"{HERE}cancel/"),
    },
    examples=[
        answer("noted", 202, examples.cancellation(Order.Status.CANCELLING, Cancellation.REQUESTED.value)),
        answer(
            "cancelled already",
            200,
            examples.cancellation(Order.Status.CANCELLED, Cancellation.ALREADY_CANCELLED.value),
        ),
        problem(HTTPStatus.CONFLICT, Cancellation.SHIPPED.value, f"{HERE}cancel/", TooLateToCancel.name),
    ],
)
