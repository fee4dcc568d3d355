"""Rows that the services keep: nobody edits them, and those of an order are found by it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html


class ReadOnlyAdmin(admin.ModelAdmin):
    """For rows that the services keep: a hand edit would break a promise, so there is none, for nobody."""

    list_per_page = 50
    show_full_result_count = False  # a second count over the whole table, for one number

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OfAnOrderAdmin(ReadOnlyAdmin):
    """For rows that belong to an order: they are searched by its number or id."""

    search_fields: ClassVar[tuple[str, ...]] = ("number",)
    search_help_text = "An order's number, such as S-100042, or its id."
    search_path: ClassVar[str] = ""  # the relation that leads to the row with the order
    search_also: ClassVar[str] = ""  # one more column that is searched as it is

    @admin.display(description="order", ordering="number")
    def order(self, row: Any) -> str:
        """The order's number, leading to its page."""
        page = reverse("admin:orders_order_find", args=[row.order_id])
        return format_html('<a href="{}">{}</a>', page, row.number)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if order_id := as_uuid(term):
            return queryset.filter(**{f"{self.search_path}order_id": order_id}), False
        wanted = Q(**{f"{self.search_path}number": term.upper()})
        if self.search_also:
            wanted |= Q(**{self.search_also: term})
        return queryset.filter(wanted), False


def as_uuid(text: str) -> UUID | None:
    """The id that somebody may have typed; None, if it is something else."""
    try:
        return UUID(text)
    except ValueError:
        return None
