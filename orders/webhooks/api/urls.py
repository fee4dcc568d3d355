"""The webhooks' addresses, under ``/api/v1/webhooks/``."""

from django.urls import path

from orders.webhooks.api.views import Deliveries, OneWebhook, Resume, Secret, Test, Webhooks
from shop.base.api import ids  # noqa: F401  # the kind of address

urlpatterns = [
    path("", Webhooks.as_view(), name="api-webhooks"),
    path("<id:id>/", OneWebhook.as_view(), name="api-webhook"),
    path("<id:id>/deliveries/", Deliveries.as_view(), name="api-webhook-deliveries"),
    path("<id:id>/test/", Test.as_view(), name="api-webhook-test"),
    path("<id:id>/secret/", Secret.as_view(), name="api-webhook-secret"),
    path("<id:id>/resume/", Resume.as_view(), name="api-webhook-resume"),
]
