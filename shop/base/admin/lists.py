"""Lists that hold with very many rows, and say what they show: on a phone each row is a card with its columns' names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from django import forms
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR, IncorrectLookupParameters
from django.contrib.admin.templatetags import admin_list
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.core.paginator import Paginator
from django.db import DataError
from django.http import HttpRequest
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

COUNTED = 10_000  # rows; how many more there are nobody reads, and counting them would take reading them all


class BoundedPaginator(Paginator):
    """Counts, and leads, no further than ``COUNTED``. ``has_more``: there are more."""

    has_more = False

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        counted = int(rows.order_by()[: COUNTED + 1].count())
        self.has_more = counted > COUNTED
        return min(counted, COUNTED)


class SearchForm(ChangeListSearchForm):
    """Takes whatever is typed: what can't be found is not found, and no error."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {SEARCH_VAR: _Anything(required=False)}


class _Anything(forms.CharField):
    def run_validators(self, value: Any) -> None:
        """Not even a NUL is an error here."""


class Choice(NamedTuple):
    """A filter: its title, what is chosen, whether that leaves rows out, and what may be."""

    title: str
    chosen: str
    is_set: bool
    choices: list[Any]


class List(ChangeList):
    """``model_admin`` is one of ``rows.Listed``."""

    model_admin: Any
    search_form_class = SearchForm

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.title = self.model_admin.title_of_list()

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except (ValueError, DataError) as error:  # a filter that somebody made up, such as one with a NUL
            raise IncorrectLookupParameters from error

    @property
    def count(self) -> str:
        """How many rows there are, in words."""
        one, many = self.model_admin.nouns or (self.opts.verbose_name, self.opts.verbose_name_plural)
        more = "more than " if self.paginator.has_more else ""
        return f"{more}{self.result_count:,} {one if self.result_count == 1 else many}"

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter leaves rows out: one that is shown, or one in the link that led here."""
        return bool(self.filter_params.keys() - {SEARCH_VAR, ORDER_VAR, ALL_VAR, IS_POPUP_VAR, TO_FIELD_VAR})

    @property
    def everything(self) -> str:
        """The address of this list without filters and search."""
        return f"?{IS_POPUP_VAR}=1" if self.is_popup else "?"

    @property
    def pages(self) -> Iterator[Any]:
        return self.paginator.get_elided_page_range(self.page_num) if self.multi_page else iter(())

    @cached_property
    def head(self) -> list[dict[str, Any]]:
        return list(admin_list.result_headers(self))

    @property
    def rows(self) -> Iterator[list[SafeString]]:
        """The cells of each row; each knows its column's name."""
        names = [str(header["text"]) for header in self.head]
        for row in admin_list.results(self):
            yield [_named(cell, name) for cell, name in zip(row, names, strict=False)]

    @property
    def filters(self) -> Iterator[Choice]:
        for spec in self.filter_specs:
            choices = list(spec.choices(self))
            chosen = next((index for index, choice in enumerate(choices) if choice["selected"]), 0)
            yield Choice(str(spec.title), str(choices[chosen]["display"]), chosen > 0, choices)


def _named(cell: str, name: str) -> SafeString:
    """A cell as Django made it, ``<td …``, with its column's name in it; but for the box to tick.

    It says what it is, as a cell that CSS makes part of a card is none for a screen reader otherwise.
    """
    role = "rowheader" if cell.startswith("<th") else "cell"
    column = "" if "<input" in name else f' data-column="{escape(capfirst(name))}"'
    return mark_safe(f'{cell[:3]} role="{role}"{column}{cell[3:]}')  # noqa: S308  (Django's own)
