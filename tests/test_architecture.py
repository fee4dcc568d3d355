"""What import contracts can't see: keys across apps, names in strings, style and positions where they do not belong."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import current_app
from django.apps import apps
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command

from orders import placement
from orders.process import BACKWARD, FORWARD, MIRROR, PROCESS
from shop.messaging import retries, subscriptions
from shop.messaging.events import from_payload, registry, to_payload

ROOT = Path(__file__).resolve().parents[1]
COMMANDED = [move.operation for move in (*PROCESS[1:], *MIRROR)]
OPERATIONS = {move.operation for move in (*PROCESS, *MIRROR)}
POSITIONS = {*FORWARD, *BACKWARD} - {""}
PROCESS_PY = ROOT / "orders" / "process.py"
SEES_POSITIONS = [("shop", "management"), ("shop", "tools"), ("shop", "web"), ("orders", "api")]


def code() -> Iterator[Path]:
    """The modules of the product: no tests, and no migrations, which say what was."""
    for folder in ("shop", *settings.SERVICES):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"tests", "migrations"} & set(path.relative_to(ROOT).parts):
                yield path


def test_no_foreign_key_crosses_apps() -> None:
    for model in apps.get_models():
        if model._meta.app_label in settings.SERVICES:
            for field in model._meta.get_fields():
                if field.related_model:
                    assert field.related_model._meta.app_label == model._meta.app_label, field


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


def test_the_readable_places_stay_readable() -> None:
    assert len((ROOT / "orders" / "orchestration.py").read_text().splitlines()) < 120
    for path in ROOT.glob("*/choreography.py"):
        assert len(path.read_text().splitlines()) < 60, path


def test_no_module_hides_two_ideas() -> None:
    lengths = sorted(
        len(path.read_text().splitlines()) for path in ROOT.rglob("*.py") if ".venv" not in path.parts
    )
    assert lengths[-1] <= 280
    assert lengths[len(lengths) // 2] <= 110


def test_the_systems_own_checks_find_nothing() -> None:
    assert run_checks() == []


# --- Strings that stand for something ------------------------------------------------------------------------------


def strings(path: Path) -> Iterator[tuple[str, str]]:
    """The strings of a module, each with the line it stands in; but for the members of enumerations."""
    tree = ast.parse(path.read_text())
    members = {id(value) for cls in ast.walk(tree) if is_choices(cls) for value in ast.walk(cls)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in members:
            yield node.value, f"{path}:{node.lineno}"


def is_choices(node: ast.AST) -> bool:
    """An order's status or the state of a service's own row may be called like a position."""
    bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
    return "models.TextChoices" in bases


def test_no_operation_is_named_outside_the_process() -> None:
    """Not even where it is published: there its name is the function's."""
    for path in code():
        for text, place in strings(path):
            assert text not in OPERATIONS or path == PROCESS_PY, f"{place} names {text!r}"


def test_no_position_is_named_outside_the_process() -> None:
    """In orders and whatever lies on the apps: the other apps and the foundation can see no position at all."""
    columns = {field.name for model in apps.get_models() for field in model._meta.get_fields()}
    for path in code():
        if path.relative_to(ROOT).parts[:2] in SEES_POSITIONS or path.parts[-2] == "orders":
            for text, place in strings(path):
                named = text in POSITIONS - columns and path not in (
                    PROCESS_PY,
                    ROOT / "orders" / "events.py",
                )
                assert not named, f"{place} names {text!r}"


@pytest.mark.parametrize("name", COMMANDED)
def test_every_operation_of_the_process_is_a_task_in_its_services_queue(name: str) -> None:
    assert getattr(current_app.tasks[name], "queue", None) == name.partition(".")[0]


def test_the_process_begins_with_what_the_api_calls() -> None:
    module, name = PROCESS[0].operation.split(".")
    assert getattr(placement, name).__module__.startswith(f"{module}.")


def test_every_task_belongs_to_an_operation_a_subscription_or_the_housekeeping() -> None:
    """All names that cross the border of a process in a message, and what each resolves to."""
    deliveries = {
        subscriptions.task_name(sub.service, sub.event.__name__)
        for sub in subscriptions.every()
        if sub.service in settings.SERVICES
    }
    beaten = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    ours = {name for name in current_app.tasks if name.partition(".")[0] in settings.SERVICES}
    assert ours == {*COMMANDED, *deliveries, *beaten, "orders.label_parcels"}


def test_every_retry_policy_is_one_of_the_settings_and_used() -> None:
    assert set(retries._policies) == set(COMMANDED)
    assert set(retries._policies.values()) == set(settings.RETRIES)


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
