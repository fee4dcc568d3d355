"""The control room of a running shop: what it says when all is well, and when something it asks is away."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import pytest
from django.conf import settings

from shop.messaging.outages import outages
from shop.tools.up.ports import free_port
from tests.live import Live
from tests.stack import TWICE

WORKERS = len(settings.SERVICES) + len(TWICE)

# What somebody sees who looks for a while: in a process of its own, with the shop's own environment.
LOOK = """
import json, sys, time
import django
django.setup()
from shop.web.control.attention import concerns
from shop.web.control.numbers import take
until, wanted = time.monotonic() + float(sys.argv[1]), sys.argv[2]
while True:
    began = time.monotonic()
    numbers = take()
    took = time.monotonic() - began
    first = [concern.first for concern in concerns(numbers)]
    all_answer = sum(alive or 0 for alive in numbers.broker.workers.values()) == int(sys.argv[3])
    if time.monotonic() > until or (any(wanted in one for one in first) if wanted else all_answer and not first):
        break
    time.sleep(0.2)
print(json.dumps({"first": first, "took": took, "workers": numbers.broker.workers, "relays": numbers.relays}))
"""
GET = """
import django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
client.cookies["sessionid"] = "of somebody who was logged in"
answer = client.get("/admin/", headers={"host": "127.0.0.1"})
print(answer.status_code, answer.content.decode())
"""


def run(program: str, *arguments: str, env: Mapping[str, str]) -> str:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, env=dict(env), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def look(env: Mapping[str, str], wanted: str = "", patience: float = 20) -> dict[str, Any]:
    """The concerns' first sentences, once ``wanted`` is in one of them; or once there is none, and all workers answer."""
    seen: dict[str, Any] = json.loads(
        run(LOOK, str(patience), wanted, str(WORKERS), env=env).splitlines()[-1]
    )
    return seen


def test_a_shop_in_which_all_is_well_has_nothing_to_do_and_all_its_workers_live(live: Live) -> None:
    live.wait_until_ended(live.place("choreography", live.products()))
    seen = look(live.stack.env)
    assert seen["first"] == []
    assert seen["relays"] == 1
    assert {"payments": 2, "orders": 1, "notifications": 1}.items() <= seen["workers"].items()


def test_a_provider_that_is_away_is_told_as_such_and_who_waits_for_it_is_counted(live: Live) -> None:
    skus = live.products()
    with live.stack.supervisor.held("payments"):
        orders = live.place("choreography", skus, orders=3)
        live.wait_for(lambda: outages("payments"), "payments knows that its provider is away")
        seen = look(live.stack.env, "The payment provider has been down since")
    assert [one for one in seen["first"] if one.startswith("The payment provider has been down since")]
    live.wait_until_ended(orders)


def test_a_relay_that_does_not_run_is_missed(live: Live) -> None:
    with live.stack.supervisor.held("relay"):
        seen = look(live.stack.env, "No relay runs.")
    assert "No relay runs." in seen["first"]
    live.supervised_again()


@pytest.mark.parametrize("how", ["nobody there", "frozen"])
def test_a_broker_that_is_away_is_told_within_a_moment_and_the_rest_is_there(live: Live, how: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes connections, and says nothing
        port = server.getsockname()[1] if how == "frozen" else free_port()
        away = {"REDIS_URL": f"redis://127.0.0.1:{port}/0", "BROKER_URL": ""}
        seen = look({**live.stack.env, **away}, "The broker does not answer.")
    assert seen["first"][0] == "The broker does not answer."
    assert seen["relays"] == 1
    assert seen["took"] < 1


def test_without_the_database_a_page_says_so() -> None:
    away = {
        name: f"postgres://127.0.0.1:{free_port()}/shop"
        for name in os.environ
        if name.endswith("DATABASE_URL")
    }
    began = time.monotonic()
    answer = run(GET, env={**os.environ, "DJANGO_SETTINGS_MODULE": "shop.settings", **away})
    assert answer.startswith("503")
    assert "<strong>The database does not answer.</strong>" in answer
    assert time.monotonic() - began < 20
