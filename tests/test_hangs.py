"""A process that hangs or is frozen holds nobody up for long, is replaced, and does no harm when it wakes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from shop.messaging.heartbeat import HANGS
from shop.tools.up import supervisor as supervisors
from shop.tools.up.children import Child, Program
from shop.tools.up.supervisor import Supervisor
from tests.live import Live
from tests.processes import eventually, program
from tests.test_crashes import assert_whole

both_styles = pytest.mark.parametrize("style", ["orchestration", "choreography"])

HANGING = """
import threading
from shop.messaging import heartbeat
heartbeat.EVERY, heartbeat.HANGS_AFTER = 0.05, 0.5
heartbeat.begin("worker")
{then}
"""


@pytest.mark.scenario
@both_styles
def test_a_worker_frozen_within_a_transaction_holds_its_twin_up_for_less_than_15_seconds(
    live: Live, style: str
) -> None:
    moment = "committing PaymentProcessed"
    skus = live.products(100)
    with live.stack.paused_at(moment) as frozen:
        orders = live.place(style, skus, orders=3)
        live.wait_for(frozen, f"a worker stands still at: {moment}")
        began = time.monotonic()
        others = live.place(style, skus, orders=3)
        live.wait_until_ended([*orders, *others])
        assert time.monotonic() - began < 15
    time.sleep(1)  # it wakes, and finds its session ended
    live.wait_until_ended([*orders, *others])
    assert_whole(live, [*orders, *others], skus)


@pytest.mark.parametrize(
    ("then", "ends"),
    [
        ("threading.Event().wait(5)", True),
        ("import time\nfor _ in range(40): heartbeat.beat(); time.sleep(0.05)", False),
        ("with heartbeat.waiting(): threading.Event().wait(2)", False),
    ],
    ids=["hangs", "goes round", "waits for somebody else"],
)
def test_a_process_that_does_not_come_any_further_ends_itself(tmp_path: Path, then: str, ends: bool) -> None:
    argv = (sys.executable, "-c", HANGING.format(then=then))
    log = tmp_path / "hanging.log"
    child = Child(Program(name="hanging", argv=argv, log=log, env=dict(os.environ), cwd=settings.BASE_DIR))
    child.start()
    child.reap(10)
    assert child.returncode == (HANGS if ends else 0), child.output()


def test_a_process_whose_heartbeat_stands_still_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisors, "SILENT", 0.5)
    beats = tmp_path / "beat"
    code = f"""
import pathlib, time
print("here")
for _ in range(10):
    pathlib.Path({str(beats)!r}).touch(); time.sleep(0.05)
time.sleep(60)
"""
    said: list[str] = []
    with Supervisor(say=said.append, longest_wait=0.1) as supervisor:
        supervisor.start(program("frozen", tmp_path, code, beats=beats))
        supervisor.wait_ready()
        first = supervisor.pids()["frozen"]
        supervisor.watch()
        assert eventually(lambda: supervisor.pids().get("frozen", first) != first)
    assert said[0].startswith("frozen has done nothing for 0.5 s; it is replaced.")
