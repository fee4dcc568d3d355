"""Every list and page of the admin; rows that services keep, which nobody edits, and those of an order, found by it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from shop.base.admin.cells import when
from shop.base.admin.lists import BoundedPaginator, List
from shop.base.admin.search import as_uuid, can_be_found, orders_meant


class Listed(admin.ModelAdmin):
    """What all lists have in common: how they look, and that they hold with very many rows."""

    change_list_template = "admin/shop/list.html"
    change_form_template = "admin/shop/form.html"
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False  # a second count over the whole table, for one number
    show_facets = admin.ShowFacets.NEVER  # a count for each choice of each filter
    nouns: ClassVar[tuple[str, str] | None] = None  # one, many; by default the model's own
    nothing_here: ClassVar[str] = ""  # what an empty list would show, as a sentence
    again: ClassVar[int] = 0  # s, the list asks this often by itself what it shows; 0: it does not

    class Media:
        css = {"all": ["shop/lists.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[List]:
        return List

    def title_of_list(self) -> str:
        return capfirst(str(self.opts.verbose_name_plural))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """A link to what people did to it, if they did anything."""
        row = kwargs.get("obj")
        if row is not None and self.has_change_permission(request, row):
            context["has_history"] = LogEntry.objects.filter(
                content_type=get_content_type_for_model(row), object_id=row.pk
            ).exists()
        return super().render_change_form(request, context, *args, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        return self.found(queryset, term) if can_be_found(term) else queryset.none(), False

    def found(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """What the text means, which can be found. By default: what has its words in one of ``search_fields``."""
        rows, twice = super().get_search_results(None, queryset, term)  # type: ignore[arg-type]  # it looks at none
        return rows.distinct() if twice else rows


class ReadOnlyAdmin(Listed):
    """For rows that the services keep: a hand edit would break a promise, so there is none, for nobody."""

    change_form_template = "admin/shop/row.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def sentence(self, row: Any) -> str:
        """What a row is, for the top of its page."""
        return capfirst(str(row))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if context.get("subtitle") and (
            row := kwargs.get("obj")
        ):  # Django's; a page of its own has said its title
            context.update(title=self.sentence(row), subtitle=None)
        return super().render_change_form(request, context, *args, **kwargs)


class OfAnOrderAdmin(ReadOnlyAdmin):
    """For rows that belong to an order: they are found by it, however somebody names it."""

    ordering = ("-order_id",)  # ids grow with time: the latest order first
    sortable_by: ClassVar[tuple[str, ...]] = ("order",)  # no index has the rest, and rows are many
    search_fields: ClassVar[tuple[str, ...]] = ("number",)
    search_help_text = (
        "An order's number, such as S-100042, its id, a tracking number, a customer's name or email."
    )
    search_by: ClassVar[str] = "order_id"  # the column that has the order's id
    search_also: ClassVar[str] = ""  # one more column that is searched as it is

    @admin.display(description="order", ordering="order_id")
    def order(self, row: Any) -> str:
        """The order's number, leading to its page."""
        return order_link(row.order_id, row.number)

    @admin.display(description="changed", ordering="updated_at")
    def changed(self, row: Any) -> str:
        return when(row.updated_at)

    def found(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        if self.search_also and not as_uuid(term):
            found = queryset.filter(**{self.search_also: term})
            if found.exists():
                return found
        return self.of_orders(queryset, orders_meant(term))

    def of_orders(self, queryset: QuerySet[Any], order_ids: list[Any]) -> QuerySet[Any]:
        return queryset.filter(**{f"{self.search_by}__in": order_ids}) if order_ids else queryset.none()


def order_link(order_id: UUID, number: str) -> str:
    """An order's number, leading to its page."""
    page = reverse("admin:orders_order_find", args=[order_id])
    return format_html('<a href="{}" class="of-order">{}</a>', page, number)
