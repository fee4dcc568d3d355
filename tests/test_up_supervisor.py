"""What keeps `up`'s processes running, and ends them: real processes, ended in every way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from shop.tools.up import supervisor as supervisors
from shop.tools.up.datafolder import JsonFile
from shop.tools.up.errors import StartError
from shop.tools.up.leftovers import end_leftovers
from shop.tools.up.readiness import says
from shop.tools.up.supervisor import Supervisor
from tests.processes import SLEEPER, alive, eventually, on_linux, program

ROOT = Path(__file__).resolve().parents[1]


def test_a_child_that_dies_is_started_again_after_longer_and_longer_waits(tmp_path: Path) -> None:
    said: list[str] = []

    def back(times: int) -> bool:
        supervisor.tick()
        return said.count("worker is back.") == times

    with Supervisor(say=said.append) as supervisor:
        supervisor.start(program("worker", tmp_path, SLEEPER, ready=says("here")))
        supervisor.wait_ready(10)
        pids = [supervisor.pids()["worker"]]
        for times, wait in ((1, "0.5 s"), (2, "1 s")):
            supervisor.kill("worker")
            assert eventually(lambda times=times: back(times))  # type: ignore[misc]
            assert said[-2].startswith(f"worker stopped (SIGKILL); starting it again in {wait}.")
            assert str(tmp_path / "worker.log") in said[-2]
            pids.append(supervisor.pids()["worker"])
        assert len(set(pids)) == 3


def test_a_child_that_has_worked_for_a_while_is_started_again_at_once_however_often_it_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the busiest worker is killed every quarter of a minute: its orders must not wait longer each time."""
    assert supervisors.SETTLED <= 10
    monkeypatch.setattr(supervisors, "SETTLED", 0.2)
    said: list[str] = []
    with Supervisor(say=said.append) as supervisor:
        supervisor.start(program("worker", tmp_path, SLEEPER, ready=says("here")))
        supervisor.wait_ready(10)
        supervisor.watch()
        for times in (1, 2, 3):
            time.sleep(0.3)
            supervisor.kill("worker")
            assert eventually(lambda times=times: said.count("worker is back.") == times)  # type: ignore[misc]
    assert {line.partition("; ")[2].partition(". ")[0] for line in said if "stopped" in line} == {
        "starting it again in 0.5 s"
    }


def test_a_child_that_never_gets_ready_is_one_sentence_with_its_last_words(tmp_path: Path) -> None:
    with Supervisor(say=lambda line: None) as supervisor:
        supervisor.start(
            program("relay", tmp_path, "raise SystemExit('no database, Error 7')", ready=says("ready"))
        )
        with pytest.raises(
            StartError, match=r"relay keeps stopping \(no database, Error 7\): see .*relay\.log"
        ):
            supervisor.wait_ready(20)


def test_a_child_that_is_held_is_not_missed_until_it_is_let_go(tmp_path: Path) -> None:
    said: list[str] = []

    def settled() -> bool:
        supervisor.tick()
        return supervisor.settled()

    with Supervisor(say=said.append) as supervisor:
        supervisor.start(*(program(name, tmp_path, SLEEPER, ready=says("here")) for name in "ab"))
        supervisor.wait_ready(10)
        before = supervisor.pids()
        with supervisor.held("a"):
            assert not eventually(settled, 1)
            assert supervisor.pids() == {"b": before["b"]}
        assert eventually(settled)
        after = supervisor.pids()
        assert (after["a"] != before["a"], after["b"]) == (True, before["b"])
        assert said == ["a is back."]


def test_tiers_stop_in_reverse_order_and_each_as_a_whole(tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n    time.sleep(0.2); open({!r}, 'a').write({!r} + '\\n'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('here'); time.sleep(600)"
    )
    supervisor = Supervisor(say=lambda line: None)
    for tier in (("server",), ("worker-a", "worker-b"), ("web",)):
        supervisor.start(*(program(n, tmp_path, code.format(str(ends), n), ready=says("here")) for n in tier))
    supervisor.wait_ready(10)
    pids = supervisor.pids().values()
    supervisor.stop()
    ended = ends.read_text().split()
    assert (ended[0], set(ended[1:3]), ended[3]) == ("web", {"worker-a", "worker-b"}, "server")
    assert not any(alive(pid) for pid in pids)


def test_a_child_that_ignores_sigterm_is_killed_with_what_it_started(tmp_path: Path) -> None:
    # Each line in one write: what print() writes in pieces, two processes mix up.
    code = (
        "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.fork(); os.write(1, b'family %d\\nhere\\n' % os.getpid()); time.sleep(600)"
    )
    log = tmp_path / "stubborn.log"
    with Supervisor(say=lambda line: None) as supervisor:
        supervisor.start(program("stubborn", tmp_path, code, ready=says("here"), patience=0.3))
        supervisor.wait_ready(10)
        assert eventually(lambda: len(re.findall(r"family \d+\n", log.read_text())) == 2)
        family = {int(pid) for pid in re.findall(r"family (\d+)\n", log.read_text())}
        assert len(family) == 2
    assert eventually(lambda: not any(alive(pid) for pid in family), 2)


@on_linux
def test_a_supervisor_killed_with_sigkill_leaves_no_child(tmp_path: Path) -> None:
    code = f"""
import os, time
from pathlib import Path
from tests.processes import SLEEPER, program
from shop.tools.up.readiness import says
from shop.tools.up.supervisor import Supervisor
supervisor = Supervisor()
supervisor.start(*(program(name, Path({str(tmp_path)!r}), SLEEPER, ready=says("here")) for name in "ab"))
supervisor.wait_ready(10)
print(*supervisor.pids().values(), flush=True)
time.sleep(600)
"""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "shop.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        assert all(alive(pid) for pid in pids)
        process.kill()
    assert eventually(lambda: not any(alive(pid) for pid in pids), 5)


def test_what_a_killed_run_left_is_ended_but_nobody_else(tmp_path: Path) -> None:
    """As on a system that does not end the children of a killed parent."""

    def orphan(code: str = SLEEPER) -> subprocess.Popen[bytes]:
        env = {**os.environ, "SHOP_DATA": str(tmp_path)}
        return subprocess.Popen([sys.executable, "-I", "-S", "-c", code], start_new_session=True, env=env)

    with (
        orphan() as left,
        orphan() as another,
        orphan(f"import os\nos.fork() or exec({SLEEPER!r})") as parent,
    ):
        parent.wait()
        (grandchild,) = [
            p.pid for p in psutil.process_iter() if p.pid != parent.pid and os.getpgid(p.pid) == parent.pid
        ]
        JsonFile(tmp_path / "pids.json").write(
            {
                "children": [
                    {
                        "name": "left",
                        "pid": left.pid,
                        "created": psutil.Process(left.pid).create_time(),
                        "signal": 15,
                    },
                    {"name": "reused", "pid": another.pid, "created": 1.0, "signal": 15},
                    {"name": "gone", "pid": parent.pid, "created": 1.0, "signal": 15},
                ]
            }
        )
        try:
            assert end_leftovers(tmp_path / "pids.json") == 2
            assert eventually(lambda: not alive(left.pid) and not alive(grandchild), 2)
            assert another.poll() is None
            assert end_leftovers(tmp_path / "pids.json") == 0
        finally:
            for process in (left, another):
                process.kill()
