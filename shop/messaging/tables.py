"""Where a service's outbox, inbox and incidents are."""

from __future__ import annotations

from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.db import router

from shop.messaging.models import AbstractInbox, AbstractIncident, AbstractOutbox

CHANNEL = "outbox"  # PostgreSQL: LISTEN outbox, which wakes the relay; the payload names whose rows are due


def services() -> tuple[str, ...]:
    return tuple(settings.SERVICES)


def outbox_of(service: str) -> type[AbstractOutbox]:
    return cast(type[AbstractOutbox], apps.get_model(service, "Outbox"))


def inbox_of(service: str) -> type[AbstractInbox]:
    return cast(type[AbstractInbox], apps.get_model(service, "Inbox"))


def incidents_of(service: str) -> type[AbstractIncident]:
    return cast(type[AbstractIncident], apps.get_model(service, "Incident"))


def confirmed_sequence(service: str) -> str:
    """A sequence that is only read and set: up to which id the outbox is confirmed. No row is updated for it."""
    return f"{service}_outbox_confirmed"


def database_of(model: type[Any]) -> str:
    return router.db_for_write(model)
