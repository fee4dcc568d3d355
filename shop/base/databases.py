"""Which database an app lives in: its own where <APP>_DATABASE_URL is set, else the one they share."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model


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
