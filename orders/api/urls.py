"""The orders' addresses, under ``/api/v1/orders/``."""

from django.urls import path

from orders.api.views import OneOrder, Orders, RequestCancellation, Timeline

urlpatterns = [
    path("", Orders.as_view(), name="api-orders"),
    path("<uuid:id>/", OneOrder.as_view(), name="api-order"),
    path("<uuid:id>/timeline/", Timeline.as_view(), name="api-order-timeline"),
    path("<uuid:id>/cancel/", RequestCancellation.as_view(), name="api-order-cancel"),
]
