"""`manage.py up` and what it is made of: real processes, ended in every way."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from shop.tools.up.children import Program, says
from shop.tools.up.datafolder import JsonFile, only_user, scratch_folder
from shop.tools.up.errors import StartError
from shop.tools.up.leftovers import end_leftovers
from shop.tools.up.servers import free_port
from shop.tools.up.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[1]
CONFIGURED = re.compile(
    r"(DATABASE_URL|REDIS_URL|REDIS_PREFIX|SECRET_KEY|PUBLIC_URL|_URL|FULFILLMENT_STYLE)$"
)
on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux ends the children of a killed parent"
)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(true: Callable[[], object], within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())


def program(name: str, folder: Path, code: str, **more: object) -> Program:
    argv = (sys.executable, "-I", "-S", "-u", "-c", code)
    return Program(name=name, argv=argv, log=folder / f"{name}.log", env=dict(os.environ), **more)  # type: ignore[arg-type]


SLEEPER = "import time; print('here'); time.sleep(600)"


# --- The supervisor -----------------------------------------------------------------------------------------------


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


def test_a_child_that_never_gets_ready_is_one_sentence_with_its_last_words(tmp_path: Path) -> None:
    with Supervisor(say=lambda line: None) as supervisor:
        supervisor.start(
            program("relay", tmp_path, "raise SystemExit('no database, Error 7')", ready=says("ready"))
        )
        with pytest.raises(
            StartError, match=r"relay keeps stopping \(no database, Error 7\): see .*relay\.log"
        ):
            supervisor.wait_ready(20)


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
    code = (
        "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.fork(); print('family', os.getpid()); print('here'); time.sleep(600)"
    )
    supervisor = Supervisor(say=lambda line: None)
    supervisor.start(program("stubborn", tmp_path, code, ready=says("here"), patience=0.3))
    supervisor.wait_ready(10)
    log = tmp_path / "stubborn.log"
    assert eventually(lambda: len(re.findall(r"family \d+\n", log.read_text())) == 2)
    family = {int(pid) for pid in re.findall(r"family (\d+)\n", log.read_text())}
    assert len(family) == 2
    supervisor.stop()
    assert eventually(lambda: not any(alive(pid) for pid in family), 2)


@on_linux
def test_a_supervisor_killed_with_sigkill_leaves_no_child(tmp_path: Path) -> None:
    code = f"""
import os, time
from pathlib import Path
from tests.test_up import SLEEPER, program
from shop.tools.up.children import says
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


def test_a_data_folder_has_one_user_at_a_time(tmp_path: Path) -> None:
    again = pytest.raises(StartError, match=f"already runs on {tmp_path} .process {os.getpid()}.")
    with only_user(tmp_path), again, only_user(tmp_path):
        pass
    with only_user(tmp_path):
        pass


# --- The command --------------------------------------------------------------------------------------------------


class Up:
    """A running `manage.py up`, with nothing in its environment that helps it."""

    def __init__(self, data: Path, port: int, *arguments: str) -> None:
        env = {name: value for name, value in os.environ.items() if not CONFIGURED.search(name)}
        argv = [sys.executable, "manage.py", "up", "--port", str(port), "--data", str(data), *arguments]
        self.data, self.begun = data, time.monotonic()
        self.output = data.with_name(f"{data.name}.out")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)

    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str, within: float = 60.0) -> None:
        found = eventually(lambda: words in self.text() or self.process.poll() is not None, within)
        assert found, self.text()
        assert words in self.text(), self.text()

    def pids(self) -> dict[str, int]:
        rows = json.loads((self.data / "pids.json").read_text())["children"]
        return {row["name"]: row["pid"] for row in rows}

    def family(self) -> set[int]:
        return {process.pid for process in psutil.Process(self.process.pid).children(recursive=True)}

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    with scratch_folder() as parent:
        yield parent / "data"


@pytest.fixture(scope="module")
def port() -> int:
    """With the next one free, which Flower gets."""
    while True:
        port = free_port()
        with socket.socket() as next_one:
            try:
                next_one.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
        return port


@pytest.fixture(scope="module")
def first(data: Path, port: int) -> Iterator[Up]:
    up = Up(data, port)
    try:
        up.wait_for("until you press Ctrl-C", 150)
        yield up
    finally:
        if up.process.poll() is None:
            up.end(signal.SIGTERM)


def test_both_demo_orders_are_completed(first: Up) -> None:
    text = first.text()
    assert len(re.findall(r"^S-\d+ is completed\.$", text, re.MULTILINE)) == 2, text
    for style in ("orchestration", "choreography"):
        for service in ("orders", "inventory", "payments", "shipping", "notifications"):
            assert re.search(rf"^ +\d+\.\d\d s  {style} +{service} ", text, re.MULTILINE), text
    assert "Traceback" not in text


def test_the_first_run_shows_the_generated_passwords_and_the_token(first: Up) -> None:
    kept = json.loads((first.data / "secrets.json").read_text())
    for name in ("admin", "demo", "flower"):
        assert f"user {name}, password {kept[f'{name}_password']}" in first.text()
    assert re.search(r"token \w{32,} \(shown this once\)", first.text())


def test_every_process_is_there_and_on_record(first: Up) -> None:
    workers = {f"worker-{name}" for name in ("orders", "inventory", "payments", "shipping", "notifications")}
    others = {"postgres", "redis", "payments", "carrier", "relay", "web", "beat", "flower"}
    assert first.pids().keys() == workers | others
    assert all(alive(pid) for pid in first.pids().values())


def test_a_second_run_on_the_same_folder_is_refused_in_one_sentence(first: Up) -> None:
    refused = Up(first.data, free_port())
    assert refused.process.wait(30) == 1
    assert refused.text().startswith(f"The shop already runs on {first.data} (process {first.process.pid})")
    assert refused.text().count("\n") == 1
    assert first.process.poll() is None


def test_a_port_in_use_is_one_sentence_before_anything_starts(first: Up, port: int, tmp_path: Path) -> None:
    for wanted, who in ((port, "the shop"), (port - 1, "Flower")):
        refused = Up(tmp_path / f"data-{wanted}", wanted)
        assert refused.process.wait(30) == 1
        assert refused.text().startswith(f"Port {port}, for {who}, is in use")
        assert refused.text().count("\n") == 1
        assert not (tmp_path / f"data-{wanted}" / "postgres").exists()


def test_servers_and_workers_that_die_come_back(first: Up) -> None:
    before = first.pids()
    for name in ("postgres", "redis", "worker-payments", "web"):
        os.kill(before[name], signal.SIGKILL)
    for name in ("postgres", "redis", "worker-payments", "web"):
        first.wait_for(f"{name} stopped (SIGKILL); starting it again in 0.5 s.")
        first.wait_for(f"{name} is back.")
    after = first.pids()
    assert all(after[name] != before[name] and alive(after[name]) for name in ("postgres", "redis", "web"))


def test_ctrl_c_stops_everything_and_leaves_no_process(first: Up) -> None:
    pids = {*first.pids().values(), *first.family()}
    assert len(pids) > 13
    assert first.end(signal.SIGINT) == 0
    assert not [pid for pid in pids if alive(pid)]
    assert "Stopped; nothing is left running." in first.text()
    assert "Traceback" not in first.text()


@on_linux
def test_the_second_run_is_quick_keeps_its_secrets_to_itself_and_a_sigkill_leaves_no_process(
    first: Up, port: int
) -> None:
    second = Up(first.data, port, "--style", "choreography")
    try:
        second.wait_for("until you press Ctrl-C")
        seconds = time.monotonic() - second.begun
        assert len(re.findall(r"^S-\d+ is completed\.$", second.text(), re.MULTILINE)) == 2, second.text()
        kept = json.loads((first.data / "secrets.json").read_text())
        assert not any(secret in second.text() for secret in kept.values())
        assert str(first.data / "secrets.json") in second.text()
        pids = {*second.pids().values(), *second.family()}
    finally:
        second.end(signal.SIGKILL)
    assert eventually(lambda: not [pid for pid in pids if alive(pid)], 15)
    assert seconds < 40  # 20 s on two cores with nothing else on them


def test_a_run_after_a_sigkill_starts_and_can_be_stopped_while_it_starts(first: Up, port: int) -> None:
    third = Up(first.data, port, "--no-demo")
    third.wait_for("Starting the shop.")
    assert eventually(lambda: "web" in third.pids())
    pids = {*third.pids().values(), *third.family()}
    assert third.end(signal.SIGTERM) == 0
    assert not [pid for pid in pids if alive(pid)]
    assert "Traceback" not in third.text()
