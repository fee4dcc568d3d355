"""Buttons that change rows nobody may edit by hand: who may press them, for how many, and after which question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from shop.base.effects import Effects

MOST_AT_ONCE = 200  # rows one press of a button moves

M = TypeVar("M", bound=Model)


def may_change(request: HttpRequest, model: type[Model]) -> bool:
    """Whether this person may press buttons that change rows of the model, though nobody may edit them by hand."""
    return request.user.has_perm(f"{model._meta.app_label}.change_{model._meta.model_name}")


def chosen(model_admin: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[M]) -> list[M]:
    """What an action is for; none, and a message, if that is more than one press of a button should move."""
    rows = list(queryset[: MOST_AT_ONCE + 1])
    if len(rows) <= MOST_AT_ONCE:
        return rows
    text = f"Nothing was done: choose at most {MOST_AT_ONCE} at once."
    model_admin.message_user(request, text, messages.ERROR)
    return []


@dataclass(frozen=True)
class Result:
    """What became of one row: a sentence, and ``messages.SUCCESS``, ``INFO`` (nothing to do) or ``ERROR`` (refused).

    ``act``: what is kept about it, for those who ask who did what; empty: nothing was done.
    """

    level: int
    text: str
    act: str = ""


@dataclass(frozen=True)
class Forecast:
    """A dry run: what would run for one row, and what that would do outside."""

    about: object
    address: str
    runs: str
    effects: Effects


Keeper = Callable[[HttpRequest, UUID, str], None]
_keepers: list[Keeper] = []


def keeps_acts(keeper: Keeper) -> Keeper:
    """Have a function keep what people do to an order, wherever in the admin they do it: who, the order's id, what."""
    _keepers.append(keeper)
    return keeper


def keep_act(request: HttpRequest, order_id: UUID, act: str) -> None:
    for keeper in _keepers:
        keeper(request, order_id, act)


WORDS = {messages.SUCCESS: "done", messages.INFO: "nothing to do", messages.ERROR: "refused"}


def told(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    title: str,
    results: Sequence[tuple[object, str, Result]],
) -> TemplateResponse | None:
    """Tell what became of each row, given with its address: of one in a message, of several on a page of their own."""
    if len(results) == 1:
        ((row, _, result),) = results
        model_admin.message_user(request, f"{row}: {result.text}", result.level)
    if len(results) < 2:
        return None
    shown = [(row, address, WORDS[result.level], result.text) for row, address, result in results]
    counts = [(word, sum(one[2] == word for one in shown)) for word in WORDS.values()]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "results": shown,
        "counts": [(word, count) for word, count in counts if count],
    }
    return TemplateResponse(request, "admin/shop/results.html", context)


def confirmation(model_admin: admin.ModelAdmin, request: HttpRequest, **said: object) -> TemplateResponse:
    """A page that asks before it is done; the answer comes back to the same address and is ``confirmed``.

    ``said``: title, question, objects (what it is done to) or forecasts (what would happen to each), yes (the button),
    back (an address), hidden (the form's other fields, as pairs), text (True: a text is asked for, too).
    """
    context = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, **said}
    return TemplateResponse(request, "admin/shop/confirm.html", context)


def confirmed(request: HttpRequest) -> bool:
    """Whether this is the yes to a confirmation."""
    return "confirmed" in request.POST


def again(action: str, rows: Sequence[Model]) -> list[tuple[str, object]]:
    """The fields with which an action of a list is sent once more, for the same rows."""
    return [("action", action), *(("_selected_action", row.pk) for row in rows)]
