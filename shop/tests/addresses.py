"""All addresses of the shop, the demo's too, and who may open each. What is not decided here fails in test_access.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver, include, path

from shop.web import urls

urlpatterns = [path("admin/crash/", include("shop.web.crash.urls")), *urls.urlpatterns]


class Rule(Enum):
    ANYBODY = "nothing there is anybody's own"
    THEIR_SESSION = "each sees what this session holds"
    TOKEN = "whoever has a token of the API, each their own"
    OWNER_BY_TOKEN = "whose order or webhook it is, by a token of the API"
    OWNER = "whose order it is"
    OWNER_OR_STAFF = "whose order it is, and staff who may see orders"
    LINK = "whoever has the link that we have signed"
    STAFF = "staff; test_roles.py says which"
    WHO_LOGS_IN = "anybody: it asks who they are"


WEBHOOK = ("", "deliveries/", "test/", "secret/", "resume/")

# By the address as it stands in the list of addresses.
OF_EACH = {
    "favicon.ico": Rule.ANYBODY,
    "livez": Rule.ANYBODY,
    "readyz": Rule.ANYBODY,
    "admin/login/": Rule.WHO_LOGS_IN,
    "admin/logout/": Rule.WHO_LOGS_IN,
    "api/v1/login/": Rule.WHO_LOGS_IN,
    "api/v1/logout/": Rule.TOKEN,
    "api/v1/orders/": Rule.TOKEN,
    "api/v1/orders/<id:id>/": Rule.OWNER_BY_TOKEN,
    "api/v1/orders/<id:id>/timeline/": Rule.OWNER_BY_TOKEN,
    "api/v1/orders/<id:id>/cancel/": Rule.OWNER_BY_TOKEN,
    "api/v1/products/": Rule.ANYBODY,
    "api/v1/webhooks/": Rule.TOKEN,
    **{f"api/v1/webhooks/<id:id>/{what}": Rule.OWNER_BY_TOKEN for what in WEBHOOK},
    "api/schema/": Rule.ANYBODY,
    "api/docs/": Rule.ANYBODY,
    "api/": Rule.ANYBODY,  # whatever is not there
    "": Rule.ANYBODY,
    "products/<path:sku>/": Rule.ANYBODY,
    "basket/": Rule.THEIR_SESSION,
    "basket/add/": Rule.THEIR_SESSION,
    "basket/change/": Rule.THEIR_SESSION,
    "checkout/": Rule.THEIR_SESSION,
    "orders/": Rule.THEIR_SESSION,
    "orders/<uuid:order_id>/": Rule.OWNER_OR_STAFF,
    "orders/<uuid:order_id>/stream/": Rule.OWNER_OR_STAFF,
    "orders/<uuid:order_id>/cancel/": Rule.OWNER,
    "orders/<uuid:order_id>/again/": Rule.OWNER,
    "track/<str:token>/": Rule.LINK,
    "track/<str:token>/cancel/": Rule.LINK,
    "track/<str:token>/stream/": Rule.LINK,
    "account/login/": Rule.WHO_LOGS_IN,
    "account/join/": Rule.WHO_LOGS_IN,
    "account/logout/": Rule.WHO_LOGS_IN,
}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# Those of regular expressions, which can't be filled in.
FILLED = {"app_label": "orders", "url": "nothing-there"}


class Address(NamedTuple):
    route: str
    pattern: URLPattern

    @property
    def rule(self) -> Rule | None:
        """None: nobody has decided."""
        return OF_EACH.get(self.route) or (Rule.STAFF if self.route.startswith("admin/") else None)

    @property
    def parameters(self) -> list[str]:
        return [name for name in PARAMETER.findall(self.route) if name not in FILLED]

    def filled(self, values: dict[str, object]) -> str:
        """The address of one thing there is."""
        route = re.sub(r"\(\?P<(\w+)>.*?\)", r"<\1>", self.route).replace("^", "").replace("$", "")
        return "/" + PARAMETER.sub(lambda match: str({**FILLED, **values}[match[1]]), route)


def addresses() -> list[Address]:
    """Once each: the admin's index stands there twice, and whatever is under ``admin/`` and not there."""
    found = {route: Address(route, pattern) for route, pattern in reversed([*_all(get_resolver(__name__))])}
    return [*found.values()]


def _all(resolver: Any, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for found in resolver.url_patterns:
        route = before + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from _all(found, route)
        else:
            yield route, found
