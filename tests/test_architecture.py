"""Keys across apps, rooms that grow too large, the system's own checks, stored messages that must stay readable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command

from shop.messaging.events import from_payload, registry, to_payload

ROOT = Path(__file__).resolve().parents[1]


def test_no_foreign_key_crosses_apps() -> None:
    for model in apps.get_models():
        if model._meta.app_label in settings.SERVICES:
            for field in model._meta.get_fields():
                if field.related_model:
                    assert field.related_model._meta.app_label == model._meta.app_label, field


def test_the_readable_places_stay_readable() -> None:
    assert len((ROOT / "orders" / "orchestration.py").read_text().splitlines()) < 120
    for path in ROOT.glob("*/choreography.py"):
        assert len(path.read_text().splitlines()) < 60, path


def test_no_module_hides_two_ideas() -> None:
    paths = {path for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    lengths = sorted(len(path.read_text().splitlines()) for path in paths - {ROOT / "shop" / "settings.py"})
    # A list, with two lines for each entry.
    assert len((ROOT / "shop" / "settings.py").read_text().splitlines()) <= 400
    assert lengths[-1] <= 280
    assert lengths[len(lengths) // 2] <= 110


def test_the_systems_own_checks_find_nothing() -> None:
    assert run_checks() == []


# --- Service contracts: what was stored or sent by an earlier version can still be read ---------------------------

SAMPLES = json.loads((ROOT / "tests" / "contracts" / "events.json").read_text())


def test_every_event_has_a_stored_sample() -> None:
    assert {name for name, event in registry.items() if ".tests." not in event.__module__} == set(SAMPLES)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_stored_event_is_still_read(name: str) -> None:
    for payload in SAMPLES[name]:
        event = from_payload(registry[name], payload)
        assert payload.items() <= to_payload(event).items()
        assert event.in_words()


@pytest.mark.django_db(databases="__all__")
def test_the_migrations_are_as_the_models_say() -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
