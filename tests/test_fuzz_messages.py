"""Whatever stands in a message, for every task of every service: it ends well, and what is behind it is done."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from shop.base.people import holdings
from shop.messaging import monitoring
from shop.messaging.dead_letters import dead_letters_of
from shop.messaging.tables import inbox_of, outbox_of
from tests.fuzz.chance import tried
from tests.fuzz.messages import EVENTS, ORDER, SECRET, arguments, event_of, tasks
from tests.live import Live
from tests.test_strangers import of_task


@pytest.mark.django_db(databases="__all__", transaction=True)
@pytest.mark.parametrize("service", settings.SERVICES)
def test_no_message_ends_a_task_with_an_error(
    service: str, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.PAYMENTS_URL = settings.CARRIER_URL = "http://127.0.0.1:9"  # nobody gets as far
    names = sorted(name for name in tasks() if name.startswith(f"{service}."))
    tables = [find(service)._default_manager for find in (dead_letters_of, inbox_of, outbox_of)]

    @given(data=st.data())
    @tried(12 * len(names))
    def whatever_comes(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(names))
        given_to_it = data.draw(arguments(name))
        caplog.clear()
        ended = tasks()[name].apply(args=given_to_it)
        assert ended.state == "SUCCESS", (
            f"{name}{given_to_it!r:.300}: {ended.result!r:.300}\n{ended.traceback}"
        )
        assert not any(connection.in_atomic_block for connection in connections.all(initialized_only=True))
        assert SECRET not in caplog.text
        told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert not [line for line in told if not line.isprintable()]
        monitoring.told_of(ended.id)  # as a worker does at a task's end
        for table in tables:
            table.all().delete()

    whatever_comes()


NOBODYS = "00000000-0000-0000-0000-000000000001"  # the order of all of these messages: there is none


def hostile(name: str) -> list[list[Any]]:
    """What is sent to a running worker: sets that are too large, or hold something twice, or what no column takes."""
    kind = name.partition(".")[2]
    if kind.startswith("on."):
        event = event_of(kind.removeprefix("on."))
        nul, strange = {**event, "note": "\0" + SECRET}, {**event, "ref": [NOBODYS, "S-1\nERROR x", "x"]}
        return [
            [json.dumps(some)] for some in ([nul, event, event], [strange, event], [{}, event], nested(5_000))
        ]
    if kind == "takes_note":
        return [
            [json.dumps([[each, event_of(each)] for each in EVENTS] * 3)],
            [json.dumps([["Unheard\n", {}]])],
        ]
    many = [[str(UUID(int=number)), f"S-{number}", "choreography", None] for number in range(10_000)]
    return [[[ORDER, ORDER]], [[ORDER], "an", "argument"], [nested(5_000)], [many]]


def nested(depth: int) -> Any:
    found: Any = SECRET
    for _ in range(depth):
        found = [found]
    return found


@pytest.fixture
def nobody(live: Live) -> Iterator[None]:
    """What services keep of an order that nobody placed, and of messages nobody can read, goes afterwards: other tests
    audit this shop, and find nothing to do in its control room."""
    yield

    def is_gone() -> bool:
        tables = [held.of_orders for held in holdings() if held.of_orders]
        found = sum(rows([UUID(NOBODYS)]).delete()[0] for rows in tables)
        found += sum(
            dead_letters_of(service)._default_manager.all().delete()[0] for service in settings.SERVICES
        )
        time.sleep(0.3)  # for what may still follow
        return not found

    live.wait_for(is_gone, "nothing of nobody's order is left")


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("service", settings.SERVICES)
def test_no_set_of_orders_or_events_ends_a_running_worker(live: Live, service: str) -> None:
    running = live.stack.pids()
    said = [path for path in (live.stack.data / "logs").iterdir() if service in path.name]
    before = {path: path.stat().st_size for path in said}
    sys.setrecursionlimit(20_000)
    names = sorted(name for name in tasks() if name.startswith(f"{service}."))
    reactions = [name for name in names if ".on." in name]
    for name in {*names} - {*reactions[3:]}:  # of one kind some do for all
        for sent in hostile(name):
            live.broker.put(service, of_task(name, [sent, {}, {}]))
    skus = live.products()
    orders = [live.place(style, skus)[0] for style in settings.STYLES]
    live.wait_until_ended(orders)
    assert {live.traces(order).status for order in orders} == {"completed"}
    assert live.stack.pids() == running
    log = "".join(path.read_text()[before[path] :] for path in said)
    assert SECRET not in log
    assert "Traceback" not in log
