"""Buttons that change rows nobody may edit by hand: who may press them, for how many, and after which question."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

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


def confirmation(model_admin: admin.ModelAdmin, request: HttpRequest, **said: object) -> TemplateResponse:
    """A page that asks before it is done; the answer comes back to the same address and is ``confirmed``.

    ``said``: title, question, objects (what it is done to), yes (the button), back (an address), hidden (the form's
    other fields, as pairs).
    """
    context = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, **said}
    return TemplateResponse(request, "admin/shop/confirm.html", context)


def confirmed(request: HttpRequest) -> bool:
    """Whether this is the yes to a confirmation."""
    return "confirmed" in request.POST
