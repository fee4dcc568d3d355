"""What import contracts can't see: keys across apps, names in strings, style where it does not belong."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from celery import current_app
from django.apps import apps
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command

from orders import orchestration
from shop.messaging import subscriptions
from shop.messaging.events import from_payload, registry, to_payload

ROOT = Path(__file__).resolve().parents[1]
SCORES = orchestration.TO_THE_PARCELS + orchestration.FROM_THE_PARCELS + orchestration.MIRROR


def test_no_foreign_key_crosses_apps() -> None:
    for model in apps.get_models():
        if model._meta.app_label in settings.SERVICES:
            for field in model._meta.get_fields():
                if field.related_model:
                    assert field.related_model._meta.app_label == model._meta.app_label, field


@pytest.mark.parametrize("name", sorted({name for _, name in SCORES} | {"shipping.create_label"}))
def test_every_command_of_the_score_is_a_task_in_its_services_queue(name: str) -> None:
    assert getattr(current_app.tasks[name], "queue", None) == name.partition(".")[0]


def test_every_retry_policy_names_an_operation_that_exists() -> None:
    known = {subscription.receiver for subscription in subscriptions.every()} | {name for _, name in SCORES}
    assert set(settings.RETRIES) - {"default"} <= known


@pytest.mark.parametrize("service", settings.SERVICES)
def test_style_is_in_two_kinds_of_file_only(service: str) -> None:
    """No other code of a service branches on it, or names one."""
    for path in (ROOT / service).rglob("*.py"):
        if path.name in ("choreography.py", "orchestration.py") or {"tests", "migrations"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in settings.STYLES, f"{path}:{node.lineno}"
            if isinstance(node, ast.Compare):
                names = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
                assert "style" not in names, f"{path}:{node.lineno}"


@pytest.mark.parametrize(
    "path", [*ROOT.glob("*/choreography.py"), ROOT / "orders" / "orchestration.py"], ids=str
)
def test_the_readable_places_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 120


def test_the_systems_own_checks_find_nothing() -> None:
    assert run_checks() == []


# --- Service contracts: what was stored or sent by an earlier version can still be read ---------------------------

SAMPLES = json.loads((ROOT / "tests" / "contracts" / "events.json").read_text())


def test_every_event_has_a_stored_sample_of_its_version() -> None:
    assert {name: str(event.version) for name, event in registry.items() if event.__module__ != __name__} == {
        name: max(versions) for name, versions in SAMPLES.items()
    }


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_stored_event_is_still_read(name: str) -> None:
    for payload in SAMPLES[name].values():
        event = from_payload(registry[name], payload)
        assert payload.items() <= to_payload(event).items()


@pytest.mark.django_db(databases="__all__")
def test_the_migrations_are_as_the_models_say() -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
