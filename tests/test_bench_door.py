"""The measurement of the API's front door measures what it says: a short one, and how its client counts."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings

from benchmarks.door import is_good, measure, percentile
from benchmarks.posting import post
from benchmarks.servers import own_servers

FIRST, *_ = settings.STYLES


def test_orders_are_accepted_fulfilled_and_audited() -> None:
    with own_servers() as servers:
        found = measure(servers, FIRST, seconds=1.0, rate=40.0, connections=4)
    full, half = found["full"], found["half"]
    assert is_good(found), found
    assert full["accepted"] == full["ended"] > 20
    assert half["accepted"] == half["ended"] == 40
    assert found["audit"]["orders"] > full["accepted"] + half["accepted"]  # and those of the warm-up
    assert 0 < half["p50_ms"] <= half["p99_ms"] <= half["longest_ms"]
    for name in ("web", "relay", "worker-orders", "postgres", "client"):
        assert half["cpu_ms_per_order_by_process"][name] > 0, name


def test_what_was_refused_or_not_completed_is_no_good_result() -> None:
    good = {"complete": True}
    assert is_good({"full": good, "half": good, "audit": {"ok": True}})
    assert not is_good({"full": good, "half": {"complete": False}, "audit": {"ok": True}})
    assert not is_good({"full": good, "half": good, "audit": {"ok": False}})


def test_percentiles_are_of_what_was_measured() -> None:
    waits = [float(number) for number in range(1, 101)]
    assert [percentile(waits, share) for share in (0.5, 0.99, 1)] == [50.0, 99.0, 100.0]
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([], 0.5) is None


# --- The client, with a server that answers as it is told ---------------------------------------------------------


@contextmanager
def server(status: str, delay: float) -> Iterator[tuple[int, list[bytes]]]:
    """Takes one connection; answers each request after ``delay`` seconds, in two pieces. Yields its port and the keys."""
    keys: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            taken, _ = listener.accept()
            with taken:
                while data := taken.recv(65536):
                    keys.append(data.partition(b"Idempotency-Key: ")[2].partition(b"\r")[0])
                    time.sleep(delay)
                    taken.sendall(f"HTTP/1.1 {status} Whatever\r\nContent-Length: 2\r\n".encode())
                    taken.sendall(b"\r\n{}")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], keys
        thread.join(10)


def test_a_request_that_has_to_wait_for_a_free_connection_is_counted_from_when_it_was_due() -> None:
    with server("202", delay=0.1) as (port, keys):
        answers = post(port, "token", seconds=0.5, connections=1, rate=20)
    assert len(answers.waits) == len(set(keys)) == 10
    assert answers.waits[0] >= 0.1
    assert answers.waits[-1] >= 0.5  # due after 0.45 s, answered after 10 x 0.1
    assert not answers.refused


@pytest.mark.parametrize(("status", "accepted"), [("202", True), ("503", False)])
def test_only_what_is_accepted_is_counted_as_such(status: str, accepted: bool) -> None:
    with server(status, delay=0.05) as (port, keys):
        answers = post(port, "token", seconds=0.3, connections=1)
    assert 1 <= len(keys) <= 7
    assert (len(answers.waits), sum(answers.refused.values())) == (
        (len(keys), 0) if accepted else (0, len(keys))
    )
