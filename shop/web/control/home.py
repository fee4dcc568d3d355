"""The lists of the admin, grouped by what they are about, under names that tell one from another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse

BEHIND_THE_SCENES = "Behind the scenes"
BOXES = ("Outbox", "Inbox", "DeadLetter", "Incident")
GROUPS: dict[str, tuple[str, ...]] = {
    "Orders": ("orders.Order", "orders.WebhookEndpoint", "orders.WebhookDelivery"),
    "Stock": (
        "inventory.Product",
        "inventory.Warehouse",
        "inventory.Stock",
        "inventory.Receipt",
        "inventory.Reservation",
    ),
    "Payments": ("payments.Payment",),
    "Shipping": ("shipping.Shipment", "shipping.Parcel"),
    "Mail": ("notifications.Notification", "notifications.Mail"),
    "People and tokens": ("auth.User", "auth.Group", "knox.AuthToken"),
    BEHIND_THE_SCENES: tuple(f"{service}.{box}" for service in settings.SERVICES for box in BOXES),
}
NAMES = {"knox.AuthToken": "Tokens of the API"}
MORE = "More"

App = dict[str, Any]


def grouped(apps: Iterable[App]) -> list[App]:
    """Django's list of apps with their models, as groups. What no group names comes last."""
    models = {_label(model): model for app in apps for model in app["models"]}
    groups = {
        name: [models.pop(label) for label in labels if label in models] for name, labels in GROUPS.items()
    }
    groups[MORE] = [*models.values()]
    return [_group(name, found) for name, found in groups.items() if found]


def renamed(apps: Iterable[App]) -> list[App]:
    return [{**app, "models": [_named(model) for model in app["models"]]} for app in apps]


def by_service(models: Sequence[App]) -> list[tuple[str, list[App]]]:
    """The boxes, a line a service."""
    return [
        (service, found)
        for service in settings.SERVICES
        if (found := [model for model in models if model["model"]._meta.app_label == service])
    ]


def _group(name: str, models: Sequence[App]) -> App:
    app_label, of_many = models[0]["model"]._meta.app_label, name in (BEHIND_THE_SCENES, MORE)
    return {
        "name": name,
        "app_label": name.lower().replace(" ", "-"),
        "app_url": reverse("admin:index") if of_many else reverse("admin:app_list", args=[app_label]),
        "has_module_perms": True,
        "models": [_named(model) for model in models],
    }


def _named(model: App) -> App:
    service = model["model"]._meta.app_label
    if model["object_name"] in BOXES:
        return {**model, "name": f"{model['name']} of {service}", "short": model["name"]}
    return {**model, "name": NAMES.get(_label(model), model["name"])}


def _label(model: App) -> str:
    return str(model["model"]._meta.label)
