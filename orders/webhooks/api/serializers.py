"""What goes into and out of the webhooks' addresses."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.webhooks.api.fields import Url
from orders.webhooks.kinds import KINDS
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.base.api.fields import ShortList
from shop.base.api.parsing import Body

EVENTS = "Which changes are told; empty: all, also those there will be one day."
NAMES = {
    "self": "api-webhook",
    "deliveries": "api-webhook-deliveries",
    "test": "api-webhook-test",
    "secret": "api-webhook-secret",
    "resume": "api-webhook-resume",
}


class RegisterSerializer(Body):
    """Where somebody wants to be told."""

    url = Url(help_text="`https://…`, at an address that is public.")
    events = ShortList(
        child=serializers.ChoiceField(choices=KINDS), max_length=len(KINDS), default=list, help_text=EVENTS
    )


class WebhookLinksSerializer(serializers.Serializer):
    self = serializers.CharField()
    deliveries = serializers.CharField()
    test = serializers.CharField()
    secret = serializers.CharField()
    resume = serializers.CharField()


class WebhookSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    """An endpoint; its secret is shown only when it is made."""

    id = serializers.UUIDField(source="uuid")
    events = serializers.ListField(source="kinds", child=serializers.CharField(), help_text=EVENTS)
    state = serializers.CharField(help_text="`on`, `paused` (by staff), or `disabled`: it did not answer.")
    links = serializers.SerializerMethodField()

    class Meta:
        model = WebhookEndpoint
        fields = ["id", "url", "events", "state", "reason", "failing_since", "created_at", "links"]
        read_only_fields = fields

    @extend_schema_field(WebhookLinksSerializer)
    def get_links(self, endpoint: WebhookEndpoint) -> dict[str, str]:
        return {key: reverse(name, args=[endpoint.uuid]) for key, name in NAMES.items()}


class WebhookWithSecretSerializer(WebhookSerializer):
    """The only answer that shows the secret."""

    secret = serializers.CharField(help_text="Keep it: it is not shown again. Messages are signed with it.")

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class WebhookDeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """A message, and what came of it."""

    id = serializers.CharField(source="message_id", help_text="As in the header `webhook-id`.")
    type = serializers.CharField(source="kind")
    order = serializers.UUIDField(source="order_id", allow_null=True, help_text="Null: of a test.")
    state = serializers.CharField(help_text="`waiting`, `sending`, `delivered`, or `failed`: given up.")
    next_attempt = serializers.SerializerMethodField(help_text="When it is sent next, if it is.")
    last_attempt = serializers.DateTimeField(source="tried_at", allow_null=True)
    status_code = serializers.IntegerField(allow_null=True, help_text="Of the last answer.")
    trouble = serializers.CharField(help_text="Why the last attempt failed.")

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "type", "order", "number", "sequence", "happened_at", "state", "attempts", "status_code", "trouble",
            "last_attempt", "next_attempt",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt(self, delivery: WebhookDelivery) -> Any:
        due = delivery.next_at()
        return serializers.DateTimeField().to_representation(due) if due else None
