"""`manage.py up`: real processes, ended in every way."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.counters import memory_mib
from shop.tools.up.datafolder import only_user, scratch_folder
from shop.tools.up.errors import StartError
from shop.tools.up.ports import free_port
from tests.processes import alive, eventually, on_linux
from tests.staff import Staff
from tests.watching import assert_the_log_tells_two_lives, assert_the_metrics_tell_two_orders

ROOT = Path(__file__).resolve().parents[1]
CONFIGURED = re.compile(
    r"(DATABASE_URL|REDIS_URL|REDIS_PREFIX|SECRET_KEY|PUBLIC_URL|_URL|FULFILLMENT_STYLE)$"
)


class Up:
    """A running `manage.py up`, with nothing in its environment that helps it."""

    def __init__(self, data: Path, port: int, *arguments: str) -> None:
        self.env = env = {name: value for name, value in os.environ.items() if not CONFIGURED.search(name)}
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
    return three_free_ports()


def three_free_ports() -> int:
    """A port with the next two free, which Flower and the metrics get."""
    while True:
        port = free_port()
        try:
            for number in (1, 2):
                with socket.socket() as next_one:
                    next_one.bind(("127.0.0.1", port + number))
        except OSError:
            continue
        return port


@pytest.fixture(scope="module")
def first(data: Path, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """As `make run` has it: without the extra for traces, which redis-py would load into each process."""
    hidden = tmp_path_factory.mktemp("hidden")
    (hidden / "opentelemetry.py").write_text("raise ImportError('not installed')")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(hidden))
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


def test_all_of_it_listens_on_this_computer_alone(first: Up) -> None:
    """Shop, Flower, both providers, PostgreSQL and Valkey."""
    listening = {
        of.laddr
        for pid in first.family()
        for of in psutil.Process(pid).net_connections("inet")
        if of.status == psutil.CONN_LISTEN
    }
    assert len(listening) >= 6
    assert {where.ip for where in listening} == {"127.0.0.1"}


def test_the_first_run_shows_the_generated_passwords_and_the_token(first: Up) -> None:
    kept = json.loads((first.data / "secrets.json").read_text())
    for name in ("admin", "demo", "flower"):
        assert f"user {name}, password {kept[f'{name}_password']}" in first.text()
    assert re.search(r"token \w{32,} \(shown this once\)", first.text())


def test_every_process_is_there_and_on_record(first: Up) -> None:
    workers = {f"worker-{name}" for name in ("orders", "inventory", "payments", "shipping", "notifications")}
    others = {"postgres", "redis", "payments", "carrier", "relay", "webhooks", "web", "flower", "metrics"}
    forks = {"forkserver"} if sys.platform == "linux" else set()
    assert first.pids().keys() == workers | others | forks
    assert all(alive(pid) for pid in first.pids().values())


def test_the_log_tells_an_order_s_life_in_json_from_the_request_that_began_it(first: Up) -> None:
    assert_the_log_tells_two_lives(first.data / "logs")


def test_the_metrics_are_at_an_address_of_their_own(first: Up, port: int) -> None:
    assert_the_metrics_tell_two_orders(f"http://127.0.0.1:{port + 2}/metrics")


@on_linux
def test_all_processes_together_take_less_than_700_mb(first: Up) -> None:
    """What a fresh shop takes at rest, servers included; what processes share is counted once."""
    assert memory_mib([first.process.pid]) * 2**20 < 700e6


def test_a_second_run_on_the_same_folder_is_refused_in_one_sentence(first: Up) -> None:
    refused = Up(first.data, free_port())
    assert refused.process.wait(30) == 1
    assert refused.text().startswith(f"The shop already runs on {first.data} (process {first.process.pid})")
    assert refused.text().count("\n") == 1
    assert first.process.poll() is None


def test_a_port_in_use_is_one_sentence_before_anything_starts(first: Up, port: int, tmp_path: Path) -> None:
    other = three_free_ports()
    with socket.create_server(("127.0.0.1", other + 1)):
        for wanted, taken, who in ((port, port, "the shop"), (other, other + 1, "Flower")):
            refused = Up(tmp_path / f"data-{wanted}", wanted)
            assert refused.process.wait(30) == 1
            assert refused.text().startswith(f"Port {taken}, for {who}, is in use")
            assert refused.text().count("\n") == 1
            assert not (tmp_path / f"data-{wanted}" / "postgres").exists()


def test_servers_and_workers_that_die_come_back(first: Up) -> None:
    before = first.pids()
    killed = before.keys() & {"postgres", "redis", "forkserver", "worker-payments", "web"}
    for name in killed:
        os.kill(before[name], signal.SIGKILL)
    for name in killed:
        first.wait_for(f"{name} stopped (SIGKILL); starting it again in 0.5 s.")
        first.wait_for(f"{name} is back.")
    after = first.pids()
    assert all(after[name] != before[name] and alive(after[name]) for name in ("postgres", "redis", "web"))


def test_what_the_page_breaks_heals_and_no_order_is_lost(first: Up, port: int) -> None:
    kept = json.loads((first.data / "secrets.json").read_text())
    base, page = f"http://127.0.0.1:{port}", "/admin/crash/"
    operator = Staff(base, "operator", kept["operator_password"])
    admin = Staff(base, "admin", kept["admin_password"])
    assert operator.see(page)[0] == operator.press(page, do="flush", orders="0")[0] == 403
    assert admin.send(page, do="flush", orders="0")[0] == 403  # not from our page
    assert "choose one of the buttons" in admin.press(page, do="kill:postgres", orders="0")[1]
    assert 'class="broken"' not in admin.see(page)[1]
    before = first.pids()["worker-payments"]
    for button in ("kill:worker-payments", "flush"):
        assert admin.press(page, do=button, orders="50")[0] == 200
        assert eventually(
            lambda: "under way then" in admin.see(page)[1] or "no order was" in admin.see(page)[1]
        )
    healed = eventually(lambda: not re.search("not back|not all have ended", admin.see(page)[1]), 60)
    shown = admin.see(page)[1]
    assert healed, shown
    assert re.search(r"the worker of payments killed</td><td>back after \d+\.\d s", shown)
    assert re.search(r"all messages thrown away</td><td>[\d,]+ messages? lost", shown)
    figures = dict(re.findall(r"<dt>(.+?)</dt><dd>(\d+)</dd>", shown))
    assert (figures["placed"], figures["completed"], figures["lost"]) == ("100", "100", "0")
    assert first.pids()["worker-payments"] != before
    audit = [sys.executable, "manage.py", "audit", "--json", "--data", str(first.data)]
    found = subprocess.run(audit, cwd=ROOT, env=first.env, capture_output=True, text=True, check=False)
    assert (found.returncode, json.loads(found.stdout)["violations"]) == (0, [])


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


def test_a_data_folder_has_one_user_at_a_time(tmp_path: Path) -> None:
    again = pytest.raises(StartError, match=f"already runs on {tmp_path} .process {os.getpid()}.")
    with only_user(tmp_path), again, only_user(tmp_path):
        pass
    with only_user(tmp_path):
        pass
