"""The REST API's addresses. Each app brings its own."""

from functools import wraps

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from inventory.api import Products
from shop.base.api.views import Named
from shop.base.policy import with_styles
from shop.web.accounts import Login, Logout
from shop.web.refusals import unknown_address


class Schema(Named, SpectacularAPIView):
    """For programs."""


class Docs(Named, SpectacularSwaggerSplitView):
    """For people. Its script is asked for at the same address."""

    flags = frozenset({"script"})


_FOR_ANYBODY = {"authentication_classes": [], "permission_classes": [AllowAny]}
_split = Docs.as_view(**_FOR_ANYBODY, url_name="api-schema")


@wraps(_split)
def _docs(request: HttpRequest) -> HttpResponseBase:
    """Its script comes by itself; its styles stand in the page."""
    return with_styles(_split(request))


urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/login/", Login.as_view(), name="api-login"),
    path("v1/logout/", Logout.as_view(), name="api-logout"),
    path("v1/orders/", include("orders.api.urls")),
    path("v1/webhooks/", include("orders.webhooks.api.urls")),
    path("v1/products/", Products.as_view(), name="api-products"),
    path("schema/", Schema.as_view(**_FOR_ANYBODY), name="api-schema"),
    path("docs/", _docs, name="api-docs"),
    re_path("", unknown_address),
]
