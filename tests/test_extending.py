"""docs/extending.md works: its patches are applied to a copy of the project, and orders go through it in both styles."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fresh import ROOT, fresh_copy, plain_environment

PAGE = (ROOT / "docs" / "extending.md").read_text()
NO_DATABASE = {"DATABASE_URL": "postgres://127.0.0.1:1/none", "SECRET_KEY": "only for tests"}


@pytest.fixture
def copy() -> Iterator[Path]:
    with fresh_copy() as folder:
        yield folder


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def apply(patches: list[str], folder: Path) -> None:
    for patch in patches:
        command = ["git", "apply", "-"]
        done = subprocess.run(command, cwd=folder, input=patch, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stderr}{patch}"


def run(folder: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=plain_environment() | env, capture_output=True, text=True, timeout=200
    )


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(folder, sys.executable, "-W", "ignore", "manage.py", *arguments, **NO_DATABASE)


def test_the_new_step_of_the_page_works_in_both_styles_and_half_of_it_is_noticed(copy: Path) -> None:
    patches, (commands,), (test,) = blocks("diff"), blocks("sh"), blocks("python")
    receiver = [patch for patch in patches if "choreography.py" in patch]
    assert len(receiver) == 1
    apply([patch for patch in patches if patch not in receiver], copy)

    half = manage(copy, "check")
    assert half.returncode != 0
    complaints = [line.partition(") ")[2] for line in half.stderr.splitlines() if "(orders.E001)" in line]
    assert (
        "In the choreography payments.check_fraud must react to InventoryReserved; it reacts to nothing."
        in complaints
    )
    said = re.search(r"says: \*(.*?)\*", PAGE, re.DOTALL)
    assert said
    assert said[1] in complaints

    apply(receiver, copy)
    for line in commands.splitlines():
        done = manage(copy, *line.removeprefix("python manage.py ").split())
        assert done.returncode == 0, done.stderr
    (copy / "tests" / "test_fraud.py").write_text(test)
    tests = run(
        copy, sys.executable, "-m", "pytest", "-q", "tests/test_fraud.py", "tests/test_architecture.py"
    )
    assert tests.returncode == 0, tests.stdout
