"""The orders' addresses, under ``/api/v1/orders/``."""

from django.urls import path

from orders.api.views import OneOrder, Orders, RequestCancellation, Timeline
from shop.base.api import ids  # noqa: F401  # the kind of address

urlpatterns = [
    path("", Orders.as_view(), name="api-orders"),
    path("<id:id>/", OneOrder.as_view(), name="api-order"),
    path("<id:id>/timeline/", Timeline.as_view(), name="api-order-timeline"),
    path("<id:id>/cancel/", RequestCancellation.as_view(), name="api-order-cancel"),
]
