"""What the log says, and that no line is lost while it is rotated and its writers are killed."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from payments.events import PaymentProcessed
from shop.base.logs import Json, Plain
from shop.messaging import journal
from shop.messaging.events import Event, Ref, StepFailed
from shop.messaging.origins import Origin, requested_in
from shop.tools.up.logs import aside, rotate

REF = Ref(uuid4(), "S-100042", "s")
PEOPLE = "ada@example.invalid"


def told(form: logging.Formatter, caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(form.format(record) for record in caplog.records)


def as_json(caplog: pytest.LogCaptureFixture) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in told(Json(), caplog).splitlines()]


def test_an_event_is_a_line_that_says_which_order_and_from_where(caplog: pytest.LogCaptureFixture) -> None:
    cause = uuid4()
    paid = PaymentProcessed(
        ref=REF, amount_minor=1, currency="GBP", origin=Origin(cause=cause, request="r-1")
    )
    failed = StepFailed(ref=REF, operation="payments.charge", error=f"{PEOPLE} has no card")
    with caplog.at_level(logging.INFO, logger="shop.events"):
        journal.tell("payments", [paid, failed])
    first, second = as_json(caplog)
    assert first == {
        "at": paid.at.isoformat().replace("+00:00", "Z"), "level": "INFO", "logger": "shop.events",
        "event": "PaymentProcessed", "order": "S-100042", "style": "s", "service": "payments",
        "id": str(paid.id), "cause": str(cause), "request": "r-1",
    }  # fmt: skip
    assert (second["level"], second["operation"]) == ("WARNING", "payments.charge")
    text = told(Plain(), caplog)
    assert "payments: PaymentProcessed of S-100042, s, request r-1" in text
    assert PEOPLE not in text + told(Json(), caplog)


def test_a_higher_level_leaves_events_out(caplog: pytest.LogCaptureFixture) -> None:
    events: list[Event] = [PaymentProcessed(ref=REF, amount_minor=1, currency="GBP")]
    with caplog.at_level(logging.WARNING, logger="shop.events"):
        journal.tell("payments", events)
    assert caplog.records == []


def test_a_message_is_a_line_with_its_request_and_without_what_libraries_add(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError(f"It went wrong.\nDETAIL: {PEOPLE}") from error
    except ValueError:
        with requested_in("r-2"):
            logging.getLogger("some").warning("No\nway: \ud83d", exc_info=True, extra={"request": PEOPLE})
            (line,) = as_json(caplog)
            text = told(Plain(), caplog)
    assert (line["message"], line["request"], line["level"]) == ("No\nway: ?", "r-2", "WARNING")
    assert "KeyError" in line["trace"].partition("ValueError: It went wrong.")[0]
    assert PEOPLE not in json.dumps(line) + text


def test_a_line_costs_next_to_nothing_where_there_are_many() -> None:
    """CPU for a set of 200, written; at full load an order has 8 lines, and takes 1,300 µs of CPU altogether."""
    paid = PaymentProcessed(
        ref=REF, amount_minor=1, currency="GBP", origin=Origin(cause=uuid4(), request=uuid4().hex)
    )
    logger, times, took = logging.getLogger("shop.events"), 20, []
    with open(os.devnull, "w") as nowhere:
        handler = logging.StreamHandler(nowhere)
        handler.setFormatter(Json())
        logger.addHandler(handler)
        logger.propagate = False
        try:
            for _ in range(3):
                began = time.thread_time()
                for _ in range(times):
                    journal.tell("payments", [paid] * 200)
                took.append((time.thread_time() - began) / times / 200)
        finally:
            logger.removeHandler(handler)
            logger.propagate = True
    assert min(took) < 4e-6


WRITER = """
import logging, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
from shop.base.logs import Handler, Plain
log, handler = logging.getLogger("writer"), Handler()
handler.setFormatter(logging.Formatter("%(message)s"))
handler.format = lambda record: record.getMessage()
log.addHandler(handler); log.setLevel(logging.INFO)
name, number = sys.argv[1], 0
while True:
    number += 1
    log.info("%s %d %s", name, number, "x" * 60)
    os.write(int(sys.argv[2]), b"%d\\n" % number)
"""


def test_no_line_is_lost_while_a_log_is_rotated_and_its_writers_are_killed(
    tmp_path: Path, settings: Any
) -> None:
    """Three processes write into one log, each saying in a file what it has written, until they are killed."""
    settings.LOG_SIZE_MB, settings.LOG_KEPT = 0.02, 1
    log, rotations = tmp_path / "some.log", 0
    writers = []
    for name in "abc":
        with log.open("ab") as out, (tmp_path / f"said-{name}").open("wb") as third:
            argv = [sys.executable, "-c", WRITER, name, str(third.fileno())]
            env = {**os.environ, "LOG_FILE": str(log)}
            writers.append(subprocess.Popen(argv, stdout=out, stderr=out, env=env, pass_fds=[third.fileno()]))
    until = time.monotonic() + 60
    said = [tmp_path / f"said-{name}" for name in "abc"]
    while not all(path.stat().st_size for path in said) and time.monotonic() < until:
        time.sleep(0.01)
    while rotations < 20 and time.monotonic() < until:
        rotations += rotate_once(log, rotations)
        time.sleep(0.002)
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    text = "".join(path.read_text() for path in tmp_path.glob("some.log*"))
    lines = text.splitlines()
    assert rotations == 20
    assert all(len(line.split()[-1]) == 60 for line in lines)  # none is mixed with another
    for name in "abc":
        numbers = [int(line.split()[1]) for line in lines if line.startswith(f"{name} ")]
        told = int((tmp_path / f"said-{name}").read_text().split()[-1])
        assert sorted(numbers) == [*range(1, len(numbers) + 1)]
        assert told <= len(numbers)


def rotate_once(log: Path, number: int) -> int:
    """As ``rotate`` does it; but all are kept, under names of their own."""
    if not log.exists() or not rotate(log, follows=True):
        return 0
    aside(log, 1).rename(log.with_name(f"{log.name}.{1000 + number}"))
    return 1


def test_so_many_are_kept_and_one_whose_writer_stays_is_emptied(tmp_path: Path, settings: Any) -> None:
    settings.LOG_SIZE_MB, settings.LOG_KEPT = 0.000_01, 2
    log = tmp_path / "some.log"
    with log.open("a") as out:
        for turn in range(4):
            out.write(f"{turn} 0123456789\n")
            out.flush()
            assert rotate(log, follows=False)
        out.write("end")
        out.flush()
    assert not rotate(log, follows=False)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["some.log", "some.log.1", "some.log.2"]
    assert (log.read_text(), aside(log, 1).read_text()[0], aside(log, 2).read_text()[0]) == ("end", "3", "2")
