"""Where a service's outbox and inbox are."""

from __future__ import annotations

from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.db import router

from shop.messaging.models import AbstractInbox, AbstractOutbox

CHANNEL = "outbox"  # PostgreSQL: LISTEN outbox, which wakes the relay; the payload names the service


def services() -> tuple[str, ...]:
    return tuple(settings.SERVICES)


def outbox_of(service: str) -> type[AbstractOutbox]:
    return cast(type[AbstractOutbox], apps.get_model(service, "Outbox"))


def inbox_of(service: str) -> type[AbstractInbox]:
    return cast(type[AbstractInbox], apps.get_model(service, "Inbox"))


def database_of(model: type[Any]) -> str:
    return router.db_for_write(model)
