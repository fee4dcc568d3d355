"""Which database an app lives in: its own where <APP>_DATABASE_URL is set, else the one they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections, router
from django.db.models import Model

T = TypeVar("T")


def unasked(model: type[Model], act: Callable[[], T]) -> T:
    """``act`` on the model's connection as it is, which spares Django's SELECT 1 beforehand.

    A connection that turns out to be lost is made anew, once; so ``act`` must be safe to do twice.
    """
    connection = connections[router.db_for_write(model)]
    connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs lack it
    before = connection.connection
    try:
        return act()
    except (OperationalError, InterfaceError):
        # Lost within a transaction, it is there again: Django connects anew where it leaves one.
        anew = before is not None and connection.connection is not before
        if connection.in_atomic_block or (not anew and connection.is_usable()):
            raise
        connection.close()
        return act()


def alias_of(app_label: str) -> str:
    return app_label if app_label in settings.DATABASES else "default"


class OneDatabasePerApp:
    """A Django database router. Apps never relate to each other, so no query crosses two databases."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return alias_of(model._meta.app_label)

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return alias_of(one._meta.app_label) == alias_of(other._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == alias_of(app_label)
