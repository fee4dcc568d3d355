"""What the OpenAPI page says of each address under ``/api/v1/webhooks/``."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from orders.api.examples import ID
from orders.webhooks.api.serializers import (
    RegisterSerializer,
    WebhookDeliverySerializer,
    WebhookSerializer,
    WebhookWithSecretSerializer,
)
from orders.webhooks.kinds import KINDS, PING
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.base.api.openapi import documented, problem

TAG = "webhooks"
HOOK = "0c1d2e3f-4a5b-7c6d-8e7f-9a0b1c2d3e4f"
ALL = "/api/v1/webhooks/"
HERE = f"{ALL}{HOOK}/"
URL = "https://example.com/hooks/shop"
SECONDS = "%Y-%m-%dT%H:%M:%SZ"  # no finer: more digits might pass for a card's number, and not be said
SECRETS_COUNT = (
    "{} old secrets still count: renew it after {}. If others know one, delete it and register anew."
)
ENDPOINT = {
    "id": HOOK,
    "url": URL,
    "events": [KINDS[-1]],
    "state": WebhookEndpoint.State.ON.value,
    "reason": "",
    "failing_since": None,
    "created_at": "2026-11-05T10:15:00.123456Z",
    "links": {
        "self": HERE,
        **{name: f"{HERE}{name}/" for name in ("deliveries", "test", "secret", "resume")},
    },
}
WITH_SECRET = {**ENDPOINT, "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}
DELIVERY = {
    "id": "msg_0c1d2e3f4a5b7c6d8e7f9a0b1c2d3e4f",
    "type": KINDS[0],
    "order": ID,
    "number": "S-100042",
    "sequence": 1,
    "happened_at": "2026-11-05T10:15:00.123456Z",
    "state": WebhookDelivery.State.DELIVERED.value,
    "attempts": 1,
    "status_code": 204,
    "trouble": "",
    "last_attempt": "2026-11-05T10:15:00.623456Z",
    "next_attempt": None,
}
PINGED = {
    **DELIVERY,
    "type": PING,
    "order": None,
    "number": "",
    "sequence": 0,
    "state": "waiting",
    "attempts": 0,
}
PINGED |= {"status_code": None, "last_attempt": None, "next_attempt": DELIVERY["happened_at"]}


def _answered(name: str, value: object, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])


listing = extend_schema(
    operation_id="list_webhooks",
    summary="Your webhooks",
    tags=[TAG],
    responses={
        200: OpenApiResponse(WebhookSerializer(many=True), "All of them."),
        **documented(401, 429, at=ALL),
    },
    examples=[_answered("one", ENDPOINT)],
)
registering = extend_schema(
    operation_id="register_webhook",
    summary="Register a webhook",
    tags=[TAG],
    request=RegisterSerializer,
    responses={
        201: OpenApiResponse(WebhookWithSecretSerializer, "Registered. The secret is not shown again."),
        **documented(401, 409, 413, 415, 429, at=ALL),
    },
    examples=[
        OpenApiExample("one kind", {"url": URL, "events": [KINDS[-1]]}, request_only=True),
        _answered("registered", WITH_SECRET, 201),
        problem(409, "You have 10 webhooks, and may have no more: delete one.", ALL, "too-many-webhooks"),
    ],
)
detail = extend_schema(
    operation_id="get_webhook",
    summary="One of your webhooks",
    tags=[TAG],
    responses={200: OpenApiResponse(WebhookSerializer, "It."), **documented(401, 404, 429, at=HERE)},
    examples=[_answered("one", ENDPOINT)],
)
deleting = extend_schema(
    operation_id="delete_webhook",
    summary="Delete a webhook",
    tags=[TAG],
    responses={
        204: OpenApiResponse(description="It is told nothing any more."),
        **documented(401, 404, 429, at=HERE),
    },
)
deliveries = extend_schema(
    operation_id="list_webhook_deliveries",
    summary="What a webhook was told",
    tags=[TAG],
    responses={
        200: OpenApiResponse(WebhookDeliverySerializer(many=True), "A page of them."),
        **documented(400, 401, 404, 429, at=f"{HERE}deliveries/"),
    },
    examples=[_answered("delivered", DELIVERY)],
)
testing = extend_schema(
    operation_id="test_webhook",
    summary="Send a test to a webhook",
    tags=[TAG],
    request=None,
    responses={
        202: OpenApiResponse(WebhookDeliverySerializer, "It is sent in a moment."),
        **documented(401, 404, 409, 413, 415, 429, at=f"{HERE}test/"),
    },
    examples=[
        _answered("to be sent", PINGED, 202),
        problem(409, "The last test is still to be sent: see the deliveries.", f"{HERE}test/", "test-waits"),
    ],
)
renewing = extend_schema(
    operation_id="renew_webhook_secret",
    summary="Renew a webhook's secret",
    tags=[TAG],
    request=None,
    responses={
        200: OpenApiResponse(WebhookWithSecretSerializer, "Renewed."),
        **documented(401, 404, 409, 413, 415, 429, at=f"{HERE}secret/"),
    },
    examples=[
        _answered("renewed", WITH_SECRET),
        problem(
            409,
            SECRETS_COUNT.format(4, "2026-11-06T10:15:01Z"),
            f"{HERE}secret/",
            "too-many-secrets",
        ),
    ],
)
resuming = extend_schema(
    operation_id="resume_webhook",
    summary="Resume a webhook that was disabled",
    tags=[TAG],
    request=None,
    responses={
        200: OpenApiResponse(WebhookSerializer, "It is told again."),
        **documented(401, 404, 409, 413, 415, 429, at=f"{HERE}resume/"),
    },
    examples=[
        _answered("on again", ENDPOINT),
        problem(409, "Staff have paused it: ask them.", f"{HERE}resume/", "webhook-paused"),
    ],
)
