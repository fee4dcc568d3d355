"""Processes forked off one that has imported everything: they live and die like those that are started alone."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shop.tools.up.children import Child
from shop.tools.up.programs import Programs
from shop.tools.up.readiness import says
from shop.tools.up.supervisor import Supervisor
from tests.processes import alive, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands children over")

SCRIPT = """
import os, sys, time
print("celery" in sys.modules, os.getppid(), os.getsid(0) == os.getpid(), sys.argv[1:], "here", flush=True)
if sys.argv[1] == "wait":
    time.sleep(600)
if sys.argv[1] == "modules":
    print(*sys.modules)
sys.exit(7)
"""


class Forks:
    """A fork server under a supervisor, and what is to be forked off it."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.supervisor = Supervisor(say=self.said.append, longest_wait=0.05)
        self._programs = Programs(os.environ, folder)
        self._script = folder / "script.py"
        self._script.write_text(SCRIPT)
        self.supervisor.start(self._programs.fork_server())
        self.supervisor.wait_ready(30)

    def child(self, name: str, what: str) -> Child:
        return Child(self._programs.forked(name, str(self._script), what, ready=says("here")))

    def start(self, name: str) -> None:
        self.supervisor.start(self.child(name, "wait").program)
        self.supervisor.wait_ready(10)

    def stop(self) -> None:
        self.supervisor.stop()
        self._programs.forks.close()

    def settled(self) -> bool:
        self.supervisor.tick()
        return self.supervisor.settled()


@pytest.fixture
def forks(tmp_path: Path) -> Iterator[Forks]:
    forks = Forks(tmp_path)
    try:
        yield forks
    finally:
        forks.stop()


def is_forked(child: Child) -> bool:
    """Whether all modules were there before its own code began."""
    return child.output().startswith("True")


def test_what_is_forked_is_a_child_like_any_other(forks: Forks) -> None:
    child = forks.child("some", "end")
    child.start()
    child.reap(10)
    assert child.returncode == 7
    assert child.output() == f"True {os.getpid()} True ['end'] here\n"
    child = forks.child("some", "wait")
    child.start()
    assert child.wait_ready(10)
    assert psutil.Process(child.pid).name() == "some"
    child.kill()
    assert child.returncode == -signal.SIGKILL
    assert not alive(child.pid)


def test_what_relay_and_workers_share_has_nothing_of_the_web(forks: Forks) -> None:
    child = forks.child("some", "modules")
    child.start()
    child.reap(10)
    loaded = set(child.output().split())
    assert {"celery.apps.worker", "kombu.transport.redis", "psycopg", "orders.orchestration"} <= loaded
    web = {"django.contrib.admin", "rest_framework", "drf_spectacular", "knox", "reportlab", "shop.web"}
    assert not loaded & {*web, "flower", "prompt_toolkit"}


def test_the_fork_server_takes_nobody_with_it_and_comes_back(forks: Forks) -> None:
    forks.start("some")
    before = forks.supervisor.pids()
    forks.supervisor.kill("forkserver")
    assert eventually(lambda: not alive(before["forkserver"]))
    assert eventually(forks.settled, 30)
    after = forks.supervisor.pids()
    assert after["forkserver"] != before["forkserver"]
    assert after["some"] == before["some"]
    forks.supervisor.kill("some")
    assert eventually(lambda: forks.settled() and "some is back." in forks.said)
    assert is_forked(forks.supervisor.child("some"))
    assert forks.supervisor.pids()["some"] != before["some"]


def test_without_a_fork_server_it_is_started_as_always(forks: Forks) -> None:
    forks.supervisor.child("forkserver").kill()
    child = forks.child("some", "end")
    child.start()
    child.reap(10)
    assert child.returncode == 7
    assert child.output() == f"False {os.getpid()} True ['end'] here\n"


def test_a_fork_server_that_stands_still_holds_nobody_up_and_forks_nothing_later(
    forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.tools.up.forking.PATIENCE", 0.3)
    server = forks.supervisor.child("forkserver")
    server.kill()
    server.start()
    assert server.wait_ready(30)
    server.signal(signal.SIGSTOP)
    child = forks.child("some", "wait")
    child.start()
    assert child.wait_ready(10)
    assert not is_forked(child)
    server.signal(signal.SIGCONT)
    assert eventually(lambda: not server.alive)
    child.kill()
    assert child.output().count("here") == 1
