"""Names in strings: positions, operations, events and styles stand where they belong, and resolve to something."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings

from orders import placement
from orders.checks import flaws
from orders.process import BACKWARD, FORWARD, MIRROR, NOTICE, OPERATIONS, PROCESS, Pivot, Step
from payments.events import PaymentProcessed
from shop.messaging import retries, subscriptions
from shop.messaging.events import registry

ROOT = Path(__file__).resolve().parents[1]
COMMANDED = [move.operation for move in (*PROCESS[1:], *MIRROR)]
POSITIONS = {*FORWARD, *BACKWARD} - {""}
PROCESS_PY = ROOT / "orders" / "process.py"
SETTINGS_PY = ROOT / "shop" / "settings.py"
APPS_PY = ROOT / "shop" / "apps.py"  # finds the modules that are called like the styles
# The only code that can see where an order stands is orders' own and what lies on top of the apps.
SEES_POSITIONS = ("orders", "benchmarks", "shop/management", "shop/tools", "shop/web")


def code() -> Iterator[Path]:
    """The modules of the product: no tests, and no migrations, which say what was."""
    for folder in ("shop", "benchmarks", *settings.SERVICES):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"tests", "migrations"} & set(path.relative_to(ROOT).parts):
                yield path


def strings(path: Path) -> Iterator[tuple[str, str]]:
    """The strings of a module, each with its place; but for members of enumerations and names of columns."""
    tree = ast.parse(path.read_text())
    apart = {id(part) for node in ast.walk(tree) if is_apart(node) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            yield node.value, f"{path.relative_to(ROOT)}:{node.lineno}"


def is_apart(node: ast.AST) -> bool:
    """An order's status, the state of a service's own row, or a column may be called like a position."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
        return isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper()
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "F"


def test_no_operation_is_named_outside_the_process() -> None:
    """Not even where it is published: there its name is the function's."""
    for path in code():
        for text, place in strings(path):
            assert path == PROCESS_PY or not any(name in text for name in OPERATIONS), f"{place}: {text!r}"


def test_no_position_is_named_outside_the_process() -> None:
    for path in code():
        if path != PROCESS_PY and str(path.relative_to(ROOT)).startswith(SEES_POSITIONS):
            for text, place in strings(path):
                assert text not in POSITIONS, f"{place} names {text!r}"


def test_no_template_compares_with_a_position_or_an_operation() -> None:
    for path in [
        path for folder in ("shop", *settings.SERVICES) for path in (ROOT / folder).rglob("templates/**/*")
    ]:
        if path.is_file():
            for tag in re.findall(r"{[{%].*?[%}]}", path.read_text()):
                assert not set(re.findall(r'"([^"]*)"', tag)) & (POSITIONS | OPERATIONS), f"{path}: {tag}"


def test_no_event_is_named_in_a_string() -> None:
    for path in code():
        for text, place in strings(path):
            assert text not in registry, f"{place} names {text!r}"


def test_style_is_in_few_files_only() -> None:
    """The score, the players' parts, and the setting. No other code names a style, and no service branches on it."""
    for path in code():
        if path.name in ("choreography.py", "orchestration.py") or path in (SETTINGS_PY, APPS_PY):
            continue
        for text, place in strings(path):
            assert text not in settings.STYLES, f"{place} names {text!r}"
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and path.relative_to(ROOT).parts[0] in settings.SERVICES:
                names = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
                assert "style" not in names, f"{path}:{node.lineno}"


# --- What each name that travels in a message resolves to ---------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDED)
def test_every_operation_of_the_process_is_a_task_in_its_services_queue(name: str) -> None:
    assert getattr(current_app.tasks[name], "queue", None) == name.partition(".")[0]


def test_the_process_begins_with_what_the_api_calls() -> None:
    module, name = PROCESS[0].operation.split(".")
    assert getattr(placement, name).__module__.startswith(f"{module}.")


def test_every_task_belongs_to_an_operation_or_a_subscription() -> None:
    deliveries = {
        subscriptions.task_name(sub.service, sub.event.__name__)
        for sub in subscriptions.every()
        if sub.service in settings.SERVICES
    }
    noting = {subscriptions.noting_task_name(service) for service in subscriptions.noting_services()}
    ours = {name for name in current_app.tasks if name.partition(".")[0] in settings.SERVICES}
    assert ours == {*COMMANDED, *deliveries, *noting, "orders.label_parcels"}


def test_every_retry_policy_is_one_of_the_settings_and_used() -> None:
    assert set(retries._policies) == set(COMMANDED)
    assert set(retries._policies.values()) == set(settings.RETRIES)


# --- The table itself ----------------------------------------------------------------------------------------------


def test_a_table_that_makes_no_sense_is_found_at_startup() -> None:
    again = Step("paid", "payments.take_payment", PaymentProcessed, "")
    late = Step("billed", "payments.bill", NOTICE.done, "", undo=NOTICE)
    assert list(flaws(PROCESS, FORWARD)) == []
    assert list(flaws((*PROCESS, again), (*FORWARD, "paid"))) == [
        "paid stands for two places in the process.",
        "PaymentProcessed stands for two places in the process.",
    ]
    assert "“billed” can be undone or refused, though the pivot is past." in flaws((*PROCESS, late), FORWARD)
    pivotless = tuple(step for step in PROCESS if not isinstance(step, Pivot))
    assert list(flaws(pivotless, FORWARD)) == ["The process has 0 pivots; it needs one."]
