"""System checks: mistakes that would show only as an order that does not move are found at startup."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from shop.messaging import subscriptions
from shop.messaging.events import registry
from shop.messaging.tables import inbox_of, incidents_of, outbox_of, services


@register()
def every_service_has_its_tables(**kwargs: Any) -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    for service in services():
        try:
            outbox_of(service), inbox_of(service), incidents_of(service)
        except LookupError as error:
            errors.append(
                Error(
                    f"{service}: {error}",
                    hint="Give the app an Outbox, an Inbox and its Incident.",
                    id="shop.E001",
                )
            )
    return errors


@register()
def nobody_reacts_twice(**kwargs: Any) -> list[CheckMessage]:
    """Two receivers of a service that act on one event: a second one, forgotten perhaps, would do the work again."""
    return [
        Error(
            f"{service} has {len(acting)} receivers that act on {name} in style {style}: {', '.join(acting)}.",
            hint="Leave one of them, which calls what the other does, too; or give it an event of its own.",
            id="shop.E003",
        )
        for name in registry
        for style in settings.STYLES
        for service in subscriptions.services_acting_on(name, style)
        if len(acting := _acting(service, name, style)) > 1
    ]


def _acting(service: str, name: str, style: str) -> list[str]:
    heard = subscriptions.of(name, service=service, style=style)
    return sorted(sub.receiver for sub in heard if not sub.noted_in)


@register()
def every_event_is_heard(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"No receiver hears {name} in style {style}.",
            hint="Connect one, or delete the event.",
            id="shop.E002",
        )
        for name in registry
        for style in settings.STYLES
        if not subscriptions.of(name, style=style)
    ]
