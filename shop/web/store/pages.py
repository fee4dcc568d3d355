"""A page of the storefront: what all of them show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from shop.web.store.shelf import Basket


def page(
    request: HttpRequest, name: str, context: Mapping[str, Any], status: int | None = None
) -> HttpResponse:
    """The template ``store/{name}.html``, within the frame that says how much is in the basket."""
    shared = {"in_basket": Basket(request.session).units}
    response = render(request, f"store/{name}.html", {**shared, **context}, status=status)
    response["Cache-Control"] = "private, no-store"  # none of it is the next one's at this computer
    return response
