"""The orders' addresses, under ``/api/v1/orders/``."""

from django.urls import path

from orders.api.views import OneOrder, Orders, RequestCancellation, Timeline
from shop.base.api.ids import ID

urlpatterns = [
    path("", Orders.as_view(), name="api-orders"),
    path(f"{ID}/", OneOrder.as_view(), name="api-order"),
    path(f"{ID}/timeline/", Timeline.as_view(), name="api-order-timeline"),
    path(f"{ID}/cancel/", RequestCancellation.as_view(), name="api-order-cancel"),
]
