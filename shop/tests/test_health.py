"""``/readyz`` says no while a service's queue stands still."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from celery import current_app
from django.test import Client, RequestFactory
from kombu.exceptions import OperationalError

from shop.web import health

pytestmark = pytest.mark.django_db(databases="__all__")


class Queues:
    """What the broker says: the services for which messages wait, and those of which a worker answers."""

    def __init__(self) -> None:
        self.crowded: set[str] = set()
        self.answering: list[str] = []
        self.now = 1_000.0


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Queues:
    found = Queues()
    health._moved.clear()
    monkeypatch.setattr(health, "crowded_services", lambda at_least: found.crowded)
    monkeypatch.setattr("shop.web.health.time.monotonic", lambda: found.now)
    pong = {"ok": "pong"}
    monkeypatch.setattr(
        current_app.control, "ping", lambda timeout: [{name: pong} for name in found.answering]
    )
    return found


def readyz() -> tuple[int, dict[str, Any]]:
    answer = health.readyz(RequestFactory().get("/readyz"))
    return answer.status_code, json.loads(answer.content)["checks"]


def test_it_says_no_while_messages_wait_and_no_worker_of_the_service_answers(queues: Queues) -> None:
    queues.crowded, queues.answering = {"payments", "shipping"}, ["shipping-2@host", "orders@host"]
    assert readyz()[0] == 200  # it may just have begun
    queues.now += health.STUCK_AFTER + 1
    code, checks = readyz()
    assert (code, checks["queue shipping"]) == (503, "ok")
    assert checks["queue payments"].startswith("stands still")
    queues.answering = ["payments@host"]
    assert readyz()[0] == 200
    queues.now += health.STUCK_AFTER + 1
    queues.crowded, queues.answering = set(), []
    assert readyz()[0] == 200


def test_a_broker_that_is_away_makes_orders_wait_and_no_more(
    queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(at_least: int) -> set[str]:
        raise OperationalError("the broker is away")

    monkeypatch.setattr(health, "crowded_services", away)
    code, checks = readyz()
    assert (code, checks["broker"]) == (200, "unreachable")


def test_a_broker_that_hangs_holds_nobody_who_asks(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker's healthcheck waits for 3 s; a balancer that asks each second would else take all threads."""
    ends = threading.Event()
    monkeypatch.setattr(health, "crowded_services", lambda at_least: ends.wait(30) and set())
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    begun = time.perf_counter()
    try:
        answers = [readyz() for _ in range(5)]  # more than there are threads to ask with
    finally:
        ends.set()
    assert {(code, checks["broker"]) for code, checks in answers} == {(200, "unreachable")}
    assert time.perf_counter() - begun < 4


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_who_probes_need_not_come_by_a_name_of_the_shop(client: Client, settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.com"]
    answer = client.get(path, headers={"Host": "127.0.0.1:8000"})
    assert (answer.status_code, answer.resolver_match.view_name) == (200, f"shop.web.health.{path[1:]}")
    assert client.get("/", headers={"Host": "127.0.0.1:8000"}).status_code == 400
