"""Webhooks over REST. A customer sees their own and nobody else's: another's is not there (404)."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from orders.webhooks import registering
from orders.webhooks.api import docs
from orders.webhooks.api.serializers import (
    RegisterSerializer,
    WebhookDeliverySerializer,
    WebhookSerializer,
    WebhookWithSecretSerializer,
)
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.base.api.customers import CustomersView
from shop.base.api.pages import Pages
from shop.base.api.problems import Problem
from shop.base.api.views import NamedList


class TooManyWebhooks(Problem):
    status_code = HTTPStatus.CONFLICT
    name = "too-many-webhooks"


class TestWaits(Problem):
    status_code = HTTPStatus.CONFLICT
    name = "test-waits"
    default_detail = "The last test is still to be sent: see the deliveries."


class TooManySecrets(Problem):
    status_code = HTTPStatus.CONFLICT
    name = "too-many-secrets"


class WebhookPaused(Problem):
    status_code = HTTPStatus.CONFLICT
    name = "webhook-paused"
    default_detail = "Staff have paused it: ask them."


class WebhookDisabled(Problem):
    status_code = HTTPStatus.CONFLICT
    name = "webhook-disabled"
    default_detail = "It is disabled, as it did not answer: resume it first."


class DeliveryPages(Pages):
    """The newest first."""

    ordering = ("-id",)
    shown_at = f"webhooks/{docs.HOOK}/deliveries/"


class WebhooksView(CustomersView):
    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(Http404() if isinstance(exc, registering.Removed) else exc)

    def own(self) -> QuerySet[WebhookEndpoint]:
        return WebhookEndpoint.objects.filter(customer_id=self.customer_id)

    def one(self, id: UUID) -> WebhookEndpoint:
        return get_object_or_404(self.own(), uuid=id)


class Webhooks(WebhooksView):
    @docs.listing
    def get(self, request: Request) -> Response:
        """Where you are told of your orders' changes, the newest first. There are few, so they come at once."""
        return Response(WebhookSerializer(self.own(), many=True).data)

    @docs.registering
    def post(self, request: Request) -> Response:
        """Have a server of yours told of every change of your orders from now on.

        Messages are signed as Standard Webhooks are, with the secret in this answer; it is not shown again.
        """
        body = RegisterSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            made = registering.register(
                self.customer_id, body.validated_data["url"], body.validated_data["events"]
            )
        except registering.TooMany:
            most = settings.WEBHOOKS["ENDPOINTS"]
            raise TooManyWebhooks(f"You have {most} webhooks, and may have no more: delete one.") from None
        answer = WebhookWithSecretSerializer(made).data
        return Response(answer, status=HTTPStatus.CREATED, headers={"Location": answer["links"]["self"]})


class OneWebhook(WebhooksView):
    @docs.detail
    def get(self, request: Request, id: UUID) -> Response:
        """How it stands with it: whether it is told, and why not."""
        return Response(WebhookSerializer(self.one(id)).data)

    @docs.deleting
    def delete(self, request: Request, id: UUID) -> Response:
        """Tell it nothing any more. What waits for it is gone, too."""
        registering.remove(self.one(id))
        return Response(status=HTTPStatus.NO_CONTENT)


class Deliveries(NamedList, WebhooksView, ListAPIView):
    queryset = WebhookDelivery.objects.none()
    serializer_class = WebhookDeliverySerializer
    pagination_class = DeliveryPages
    filter_backends = []

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        return self.one(self.kwargs["id"]).deliveries.all()

    @docs.deliveries
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Its messages, the newest first: what came of each, and when it is sent again."""
        return super().get(request, *args, **kwargs)


class Test(WebhooksView):
    takes_nothing = True

    @docs.testing
    def post(self, request: Request, id: UUID) -> Response:
        """Send it a message about nothing, of the type `webhook.ping`."""
        try:
            sent = registering.ping(self.one(id))
        except registering.PingWaits:
            raise TestWaits from None
        except registering.Off as off:
            raise (
                WebhookPaused if off.args == (WebhookEndpoint.State.PAUSED,) else WebhookDisabled
            ) from None
        return Response(WebhookDeliverySerializer(sent).data, status=HTTPStatus.ACCEPTED)


class Secret(WebhooksView):
    takes_nothing = True

    @docs.renewing
    def post(self, request: Request, id: UUID) -> Response:
        """A new secret. For 24 hours messages have a signature by the old one, too, however often it is renewed."""
        try:
            endpoint = registering.renew_secret(self.one(id))
        except registering.SecretsCount as full:
            until = f"{full.args[0] + timedelta(seconds=1):{docs.SECONDS}}"
            raise TooManySecrets(docs.SECRETS_COUNT.format(registering.MOST_OLD_SECRETS, until)) from None
        return Response(WebhookWithSecretSerializer(endpoint).data)


class Resume(WebhooksView):
    takes_nothing = True

    @docs.resuming
    def post(self, request: Request, id: UUID) -> Response:
        """Tell it again, after it did not answer for days. What still waits for it is sent now."""
        endpoint = self.one(id)
        if endpoint.state == endpoint.State.PAUSED:
            raise WebhookPaused
        registering.resume(endpoint)
        return Response(WebhookSerializer(self.one(id)).data)
