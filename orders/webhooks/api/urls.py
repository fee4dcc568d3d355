"""The webhooks' addresses, under ``/api/v1/webhooks/``."""

from django.urls import path

from orders.webhooks.api.views import Deliveries, OneWebhook, Resume, Secret, Test, Webhooks

urlpatterns = [
    path("", Webhooks.as_view(), name="api-webhooks"),
    path("<uuid:id>/", OneWebhook.as_view(), name="api-webhook"),
    path("<uuid:id>/deliveries/", Deliveries.as_view(), name="api-webhook-deliveries"),
    path("<uuid:id>/test/", Test.as_view(), name="api-webhook-test"),
    path("<uuid:id>/secret/", Secret.as_view(), name="api-webhook-secret"),
    path("<uuid:id>/resume/", Resume.as_view(), name="api-webhook-resume"),
]
