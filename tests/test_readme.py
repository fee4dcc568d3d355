"""The README's commands, run as they stand there, in a fresh copy of the project with no virtual environment."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from shop.tools.up.ports import port_is_free
from tests.fresh import ROOT, fresh_copy, plain_environment

FIRST_RUN = 300.0  # s, with all packages to be installed
UP = "until you press Ctrl-C"


def commands() -> list[str]:
    """Every command of every shell block of the README; one goes on over lines as in a shell."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    found, begun = [], ""
    for line in "".join(blocks).splitlines():
        begun += line
        if whole(begun):
            found.append(begun)
            begun = ""
        else:
            begun += "\n"
    assert begun == "", begun
    return found


def whole(command: str) -> bool:
    try:
        return bool(shlex.split(command)) and not command.endswith("\\")
    except ValueError:  # a quotation is still open
        return False


@pytest.fixture(scope="module")
def copy() -> Iterator[Path]:
    with fresh_copy() as folder:
        yield folder


@contextmanager
def running(command: str, folder: Path) -> Iterator[str]:
    """A `make run` until it says that it is up; Ctrl-C at the end, after which nothing may be left."""
    with (folder / "output").open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-c", f"exec env {command}"],
            cwd=folder,
            env=plain_environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + FIRST_RUN
        while UP not in (said := (folder / "output").read_text(errors="replace")):
            assert shell.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.2)
        family = psutil.Process(shell.pid).children(recursive=True)
        yield said
    finally:
        if shell.poll() is None:
            for process in [*psutil.Process(shell.pid).children(), psutil.Process(shell.pid)]:
                process.send_signal(signal.SIGINT)  # as a terminal does, to make and to `up`
            shell.wait(60)
    assert [process for process in family if process.is_running()] == []


@pytest.mark.timeout(600)
def test_every_command_of_the_readme_does_what_it_says(copy: Path) -> None:
    if not (port_is_free(8000) and port_is_free(8001)) and not os.environ.get("CI"):
        pytest.skip("something else uses port 8000 or 8001 here")
    ran: list[str] = []
    others = [command for command in commands() if "make run" not in command and command != "make test"]
    for command in (command for command in commands() if "make run" in command):
        with running(command, copy) as said:
            assert ("--no-demo" in command) or said.count("is completed.") == 2, said
            ran.append(command)
            while others:
                done = subprocess.run(
                    ["bash", "-c", others[0]],
                    cwd=copy,
                    env=plain_environment(),
                    capture_output=True,
                    text=True,
                    timeout=200,
                    check=False,
                )
                assert done.returncode == 0, others[0] + done.stdout + done.stderr
                ran.append(others.pop(0))
    assert sorted(ran) == sorted(set(commands()) - {"make test"})


def test_ci_runs_the_readmes_test_command() -> None:
    assert "make test" in commands()
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_link_of_the_readme_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target


def test_the_page_of_who_hears_what_is_as_the_command_prints_it() -> None:
    command = [sys.executable, "manage.py", "subscriptions", "--format", "mermaid"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs" / "subscriptions.md").read_text().endswith(printed)
