"""Users, groups and tokens of the API, which packages bring, in lists like all others."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from knox.admin import AuthTokenAdmin
from knox.models import AuthToken

from shop.base.admin.rows import Listed, ReadOnlyAdmin


class Users(Listed, UserAdmin):
    list_display = ("username", "email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    search_help_text = "A username, a name or an email address."


class Groups(Listed, GroupAdmin):
    nothing_here = "Users of a group may do what it may. There is none yet."


class Tokens(ReadOnlyAdmin, AuthTokenAdmin):  # type: ignore[misc]  # the package is untyped
    add_form_template = "admin/change_form.html"
    list_display = ("user", "created", "expiry")
    search_fields = ("user__username",)
    search_help_text = "A username."
    list_select_related = ("user",)
    nothing_here = "Who logs in to the API gets a token, which stands here until it expires. There is none."

    def title_of_list(self) -> str:
        return "Tokens of the API"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("user", "created", "expiry") if obj else ("user", "expiry")

    def sentence(self, row: Any) -> str:
        return f"Token of {row.user} for the API"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


def list_alike(site: admin.AdminSite) -> None:
    """Take the packages' own pages of these away, and put ours in their place."""
    for model, model_admin in ((User, Users), (Group, Groups), (AuthToken, Tokens)):
        if site.is_registered(model):
            site.unregister(model)
        site.register(model, model_admin)
