"""Three ready roles for staff: what each may do follows from the admin's own pages, so that a new page is in it too."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import AbstractUser, AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from shop.base.admin.rows import ReadOnlyAdmin


class Role(StrEnum):
    """Groups of these names; each may do what those before it may."""

    VIEWER = "viewer"  # sees what the services keep, changes nothing
    OPERATOR = "operator"  # presses the buttons: orders, boxes, stock
    ADMIN = "admin"  # people, tokens, products and warehouses too


def make_roles() -> None:
    """Make the groups, or give those that are there what they may do now. Again is harmless."""
    for role in Role:
        group, _ = Group.objects.get_or_create(name=role.value)
        group.permissions.set(permissions_of(role))


def permissions_of(role: Role) -> list[Permission]:
    wanted = {(model, action) for least, model, action in _needed() if least in _up_to(role)}
    types = ContentType.objects.get_for_models(
        *{model for model, _ in wanted}, for_concrete_models=False
    )  # one query for all
    names = {(types[model].pk, f"{action}_{model._meta.model_name}") for model, action in wanted}
    found = Permission.objects.filter(content_type__in=types.values())
    return [permission for permission in found if (permission.content_type_id, permission.codename) in names]


def has_role(user: AbstractUser | AnonymousUser, role: Role) -> bool:
    """Whether this person has the role, or one that may more."""
    if user.is_superuser:
        return True
    enough = [other.value for other in Role if role in _up_to(other)]
    return user.is_active and user.is_staff and user.groups.filter(name__in=enough).exists()


def _needed() -> Iterator[tuple[Role, type[Model], str]]:
    """The least role for whatever can be done with a model on the admin's pages.

    Where nobody edits rows by hand, a permission to change or add some is one to press a button.
    """
    for model, pages in admin.site._registry.items():
        of_a_service, by_buttons = (
            model._meta.app_label in settings.SERVICES,
            isinstance(pages, ReadOnlyAdmin),
        )
        for action in model._meta.default_permissions:
            if of_a_service and action == "view":
                yield Role.VIEWER, model, action
            elif of_a_service and by_buttons and action in ("add", "change"):
                yield Role.OPERATOR, model, action
            elif not by_buttons or not of_a_service:
                yield Role.ADMIN, model, action


def _up_to(role: Role) -> tuple[Role, ...]:
    roles = tuple(Role)
    return roles[: roles.index(role) + 1]
