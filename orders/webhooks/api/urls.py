"""The webhooks' addresses, under ``/api/v1/webhooks/``."""

from django.urls import path

from orders.webhooks.api.views import Deliveries, OneWebhook, Resume, Secret, Test, Webhooks
from shop.base.api.ids import ID

urlpatterns = [
    path("", Webhooks.as_view(), name="api-webhooks"),
    path(f"{ID}/", OneWebhook.as_view(), name="api-webhook"),
    path(f"{ID}/deliveries/", Deliveries.as_view(), name="api-webhook-deliveries"),
    path(f"{ID}/test/", Test.as_view(), name="api-webhook-test"),
    path(f"{ID}/secret/", Secret.as_view(), name="api-webhook-secret"),
    path(f"{ID}/resume/", Resume.as_view(), name="api-webhook-resume"),
]
