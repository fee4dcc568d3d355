"""The points at which a test catches a process: what acts there, on what, and how often."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from orders.models import Outbox
from payments.events import PaymentProcessed, PaymentRefunded
from shop.messaging.events import Ref
from shop.messaging.outcomes import Fault
from shop.messaging.points import Point
from tests.points import Armed, act

ROOT = Path(__file__).resolve().parents[1]
REF = Ref(uuid4(), "S-1", "choreography")
PAID = PaymentProcessed(ref=REF, amount_minor=1, currency="GBP")
REFUNDED = PaymentRefunded(ref=REF, amount_minor=1, currency="GBP")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the processes, and this one, are told to look for."""
    monkeypatch.setenv("POINTS_FILE", str(tmp_path / "point"))
    return tmp_path / "point"


def come_by(point: Point, **env: str) -> int:
    """How a process ends that comes by this point, about a task, and has nothing else to do."""
    code = f"from shop.messaging.points import Point, reach; reach(Point({point.value!r}), 'payments.take_payment')"
    bare = {name: value for name, value in os.environ.items() if name != "MESSAGING_POINTS"}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**bare, **env}).returncode


def test_without_a_module_that_acts_nothing_happens(file: Path) -> None:
    armed = Armed(file, "end handled payments.take_payment")
    assert come_by(Point.HANDLED) == 0
    assert not armed.taken()


def test_a_process_ends_at_its_point_and_at_no_other(file: Path) -> None:
    armed = Armed(file, "end handled payments.take_payment")
    assert come_by(Point.RECEIVED, MESSAGING_POINTS="tests.points") == 0
    assert not armed.taken()
    assert come_by(Point.HANDLED, MESSAGING_POINTS="tests.points") == -signal.SIGKILL
    assert armed.taken()
    assert come_by(Point.HANDLED, MESSAGING_POINTS="tests.points") == 0


def test_where_nothing_is_armed_nothing_happens(file: Path) -> None:
    act(Point.COMMITTING, [PAID])
    assert not file.exists()


@pytest.mark.parametrize(
    ("what", "about"),
    [
        ("fail committing", []),
        ("fail committing PaymentProcessed", [REFUNDED, PAID]),
        ("fail committing PaymentProcessed", [Outbox(type="PaymentProcessed")]),
        ("fail committing payments.take_payment", "payments.take_payment"),
    ],
)
def test_a_point_is_about_a_name_or_the_types_of_events_and_rows(
    file: Path, what: str, about: str | list[object]
) -> None:
    armed = Armed(file, what)
    act(Point.COMMITTED, about)
    assert not armed.taken()
    with pytest.raises(Fault, match=what.removeprefix("fail ")):
        act(Point.COMMITTING, about)
    assert armed.taken()
    act(Point.COMMITTING, about)


@pytest.mark.parametrize("about", [[], [REFUNDED], "PaymentProcessed.and_more"])
def test_what_is_about_something_else_is_not_taken(file: Path, about: str | list[object]) -> None:
    armed = Armed(file, "fail committing PaymentProcessed")
    act(Point.COMMITTING, about)
    assert not armed.taken()


def test_of_many_who_come_at_once_one_takes_it(file: Path) -> None:
    def failed(_: int) -> bool:
        try:
            act(Point.CLAIMED, [])
        except Fault:
            return True
        return False

    Armed(file, "fail claimed")
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(failed, range(100))) == 1


def test_who_is_paused_stands_still_until_let_go(file: Path) -> None:
    armed = Armed(file, "pause claimed")
    with ThreadPoolExecutor(1) as threads:
        standing = threads.submit(act, Point.CLAIMED, [])
        with pytest.raises(TimeoutError):
            standing.result(0.2)
        assert armed.taken()
        armed.let_go()
        standing.result(5)


def test_what_was_let_go_before_anybody_came_does_not_happen(file: Path) -> None:
    Armed(file, "fail claimed").let_go()
    act(Point.CLAIMED, [])


@pytest.mark.parametrize("what", ["ned claimed", "end claiming"])
def test_a_slip_of_the_pen_is_noticed_at_once(file: Path, what: str) -> None:
    with pytest.raises(ValueError, match=r"ned|claiming"):
        Armed(file, what)
    assert not file.exists()
