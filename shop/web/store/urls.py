"""The storefront's addresses, from the root on."""

from django.urls import path

from shop.base.tracking import PATH
from shop.web.store import accounts, basket, catalogue, checkout, orders

urlpatterns = [
    path("", catalogue.window, name="store"),
    path("products/<path:sku>/", catalogue.product, name="store-product"),
    path("basket/", basket.show_basket, name="store-basket"),
    path("basket/add/", basket.add, name="store-add"),
    path("basket/change/", basket.change, name="store-change"),
    path("checkout/", checkout.checkout, name="store-checkout"),
    path("orders/", orders.own, name="store-orders"),
    path("orders/<uuid:order_id>/", orders.order, name="store-order"),
    path("orders/<uuid:order_id>/cancel/", orders.cancel, name="store-cancel"),
    path("orders/<uuid:order_id>/stream/", orders.stream, name="store-stream"),
    path("orders/<uuid:order_id>/again/", orders.again, name="store-again"),
    path(f"{PATH}<str:token>/", orders.linked, name="store-linked"),
    path(f"{PATH}<str:token>/cancel/", orders.cancel_linked, name="store-cancel-linked"),
    path(f"{PATH}<str:token>/stream/", orders.stream_linked, name="store-stream-linked"),
    path("account/login/", accounts.LogIn.as_view(), name="store-login"),
    path("account/join/", accounts.join, name="store-join"),
    path("account/logout/", accounts.LogOut.as_view(), name="store-logout"),
]
