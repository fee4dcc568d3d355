"""People, roles and tokens of the API, which packages bring, in lists like all others: who may give whom what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from knox.models import AuthToken

from shop.base.admin.buttons import chosen
from shop.base.admin.rows import Listed, ReadOnlyAdmin
from shop.web import guesses

SHOWN = 5  # locked accounts that the list of users tells of: those of late


class Users(Listed, UserAdmin):
    """Nobody can make more of themselves than they are: only a superuser makes, or touches, another."""

    list_display = ("username", "email", "roles", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_help_text = "A username, a name or an email address."
    actions = ("unlock",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if request.method == "GET":
            for sentence in _locked():
                self.message_user(request, sentence, messages.WARNING)
        return super().changelist_view(request, extra_context)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("auth.change_user")

    @admin.action(description="Unlock: wrong passwords are forgotten", permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in chosen(self, request, queryset):
            guesses.unlock(user)
            self.log_change(request, user, "Unlocked.")
            self.message_user(request, f"The account {user} may be logged in to again.", messages.SUCCESS)

    @admin.display(description="roles")
    def roles(self, person: User) -> str:
        named = [group.name for group in person.groups.all()]
        return ", ".join(["superuser"] * person.is_superuser + named)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = ("last_login", "date_joined")
        return fixed if _is_superuser(request) else (*fixed, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (_is_superuser(request) or not (obj and obj.is_superuser))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Their orders name them: who leaves is made inactive."""
        return False


class Groups(Listed, GroupAdmin):
    """What a role may do comes from `seed`; others are a superuser's to make."""

    nothing_here = "Users of a group may do what it may. There is none yet: `manage.py seed` makes the roles."

    def title_of_list(self) -> str:
        return "Roles"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    has_delete_permission = has_change_permission


class Tokens(ReadOnlyAdmin):
    """A token is made by logging in to the API, and by nothing else. Here it is seen, and revoked."""

    list_display = ("begins_with", "user", "created", "expiry")
    list_filter = ("created", "expiry")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    search_help_text = "A username."
    fields = ("begins_with", "user", "created", "expiry")
    ordering = ("-created",)
    actions = ("revoke",)
    nouns = ("token", "tokens")
    nothing_here = "Who logs in to the API gets a token, which stands here until it expires. There is none."

    def title_of_list(self) -> str:
        return "Tokens of the API"

    def sentence(self, row: Any) -> str:
        return f"Token of {row.user} for the API"

    @admin.display(description="token")
    def begins_with(self, token: AuthToken) -> str:
        return f"{token.token_key[:8]}…"

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("knox.delete_authtoken")

    @admin.action(description="Revoke: it opens nothing any more", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AuthToken]) -> None:
        for token in chosen(self, request, queryset):
            self.log_deletions(request, queryset.filter(pk=token.pk))
            token.delete()
            self.message_user(
                request, f"A token of {token.user} is revoked: it opens nothing any more.", messages.SUCCESS
            )


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)


def _locked() -> list[str]:
    found = guesses.locked()[-SHOWN:]
    names = dict(User.objects.filter(pk__in={one.user for one in found}).values_list("pk", "username"))
    return [
        f"The account {names[one.user]} is locked: wrong passwords from {one.address}. Unlock it below, or wait."
        for one in found
        if one.user in names
    ]


def list_alike(site: admin.AdminSite) -> None:
    """Take the packages' own pages of these away, and put ours in their place."""
    for model, model_admin in ((User, Users), (Group, Groups), (AuthToken, Tokens)):
        if site.is_registered(model):
            site.unregister(model)
        site.register(model, model_admin)
