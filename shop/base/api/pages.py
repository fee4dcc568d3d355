"""Long lists over REST, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from django.db.models import QuerySet
from rest_framework import exceptions
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

CURSOR = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"  # base64, as `next` has it


class Pages(CursorPagination):
    """Pages that don't shift while rows are added; their size is bounded."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    shown_at = "orders/"  # the address of an example
    cursor_query_description = "Where the page begins: follow `next` and `previous` instead of making one up."

    def paginate_queryset(
        self, queryset: QuerySet | Sequence, request: Request, view: Any = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, DjangoValidationError, DataError):
            if self.cursor_query_param not in request.query_params:
                raise
            # A made-up position.
            raise exceptions.ValidationError({"cursor": ["No such page."]}) from None

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            if not re.fullmatch(CURSOR, request.query_params.get(self.cursor_query_param, "")):
                raise exceptions.NotFound  # which Python would read, leaving out what is no base64
            return super().decode_cursor(request)
        except exceptions.NotFound:
            raise exceptions.ValidationError({"cursor": ["No such page."]}) from None

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        cursor, size = super().get_schema_operation_parameters(view)
        size["description"] = "How many at once."
        size["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        cursor["schema"] |= {"minLength": 1, "pattern": CURSOR}
        return [cursor, size]

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        address = {"type": ["string", "null"], "format": "uri"}
        there = f"https://shop.example/api/v1/{self.shown_at}?cursor=cD0yMDI2"
        pages = {
            "next": address | {"example": there, "description": "The next page; null: this is the last one."},
            "previous": address
            | {"example": None, "description": "The page before; null: this is the first one."},
            "results": schema,
        }
        return {"type": "object", "required": list(pages), "properties": pages}

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("page_size", str(self.page_size))
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= self.max_page_size):
            raise exceptions.ValidationError({"page_size": [f"A number from 1 to {self.max_page_size}."]})
        return int(asked[:9])
