"""Who may import whom, where import-linter's contracts (pyproject.toml) end: new folders, circles, tests, the frame."""

from __future__ import annotations

import tomllib
from pathlib import Path

import grimp
import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[1]
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
PACKAGES = ("shop", *settings.SERVICES)
FRAME = {
    "shop.settings",
    "shop.celery",
    "shop.apps",
    "shop.asgi",
}  # puts it together; nobody asks it for anything
APART = {"shop.sandbox", "shop.tests"}
PUBLISHED = ("events", "lookups")
VOCABULARY = {"shop.messaging.events", "shop.base.money"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES)


def is_test(module: str) -> bool:
    return "tests" in module.split(".")


def contract(start: str) -> dict[str, list[str]]:
    found: dict[str, list[str]]
    (found,) = (contract for contract in LINTER["contracts"] if contract["name"].startswith(start))
    return found


def test_every_package_and_every_folder_of_the_shop_has_its_place_in_the_contracts(
    graph: grimp.ImportGraph,
) -> None:
    """A new app or folder is in a layer, or this fails."""
    layers = {
        name.strip()
        for layer in contract("The roof")["layers"]
        for name in layer.replace("|", ":").split(":")
    }
    assert set(LINTER["root_packages"]) == set(PACKAGES)
    assert set(contract("Apps know")["modules"]) == set(settings.SERVICES)
    assert layers == {*settings.SERVICES, *(graph.find_children("shop") - FRAME - APART)}
    folders = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert folders == set(PACKAGES)


def test_there_is_no_circle_among_modules(graph: grimp.ImportGraph) -> None:
    """Take away whoever imports nothing that is left, again and again: only circles stay."""
    left = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    while free := {module for module, imported in left.items() if not imported & left.keys()}:
        for module in free:
            del left[module]
    assert set(left) == set()


def test_what_an_app_publishes_leads_to_none_of_its_insides(graph: grimp.ImportGraph) -> None:
    for module in (f"{app}.{name}" for app in settings.SERVICES for name in PUBLISHED):
        if module in graph.modules:
            assert graph.find_modules_directly_imported_by(module) <= VOCABULARY


def test_nobody_imports_the_frame_the_outside_or_a_test(graph: grimp.ImportGraph) -> None:
    for module in (name for name in graph.modules if not is_test(name)):
        for imported in graph.find_modules_directly_imported_by(module):
            where = f"{module} imports {imported}"
            assert not is_test(imported), where
            assert imported not in FRAME or module in FRAME, where
            assert imported.startswith("shop.sandbox") == module.startswith("shop.sandbox"), where
