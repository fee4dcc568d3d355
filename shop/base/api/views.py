"""What all addresses of the REST API have in common: a question that nobody would read is refused by its name."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from django.urls import reverse
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.base.api.parsing import Body
from shop.base.api.problems import MOST_ERRORS

UNKNOWN = "There is no such query parameter here."
TWICE = "It stands here more than once."
EMPTY = "It has no value: give it one, or leave it out."


class Named(APIView):
    """Takes the query parameters it ``knows``, each once and with a value, and ``flags``; no others.

    ``takes_nothing``: a POST needs no body, and one that has fields is refused by their names.
    """

    flags: AbstractSet[str] = frozenset()
    takes_nothing = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.META.get("QUERY_STRING") and request.method in self.allowed_methods:
            self._refuse_what_nobody_reads(request)
        if self.takes_nothing and request.method == "POST":
            Body(data=request.data).is_valid(raise_exception=True)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # DRF wraps it
        """What may be done here, and where it is told how; in JSON, whatever the address shows otherwise."""
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        told = {"methods": self.allowed_methods, "schema": reverse("api-schema"), "docs": reverse("api-docs")}
        return Response(told)

    def knows(self) -> AbstractSet[str]:
        return frozenset()

    def _refuse_what_nobody_reads(self, request: Request) -> None:
        knows = self.knows() if request.method in ("GET", "HEAD") else ()
        errors: dict[str, list[str]] = {}
        for name, values in request.query_params.lists():
            if name in self.flags:
                continue
            if name not in knows:
                errors[name] = [UNKNOWN]
            elif len(values) > 1:
                errors[name] = [TWICE]
            elif not values[0]:
                errors[name] = [EMPTY]
        if errors:
            raise exceptions.ValidationError(dict(list(errors.items())[:MOST_ERRORS]))


class NamedList(Named):
    """A list, which is asked for by its filters and the place and size of a page."""

    pagination_class: Any
    filterset_class: Any = None

    def knows(self) -> AbstractSet[str]:
        filters = self.filterset_class.base_filters if self.filterset_class else ()
        pages = self.pagination_class
        return {*filters, pages.cursor_query_param, pages.page_size_query_param}
