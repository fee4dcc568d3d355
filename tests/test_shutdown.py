"""A rolling restart under load: every process is asked to stop, one after the other, and nothing is lost or doubled."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from orders.models import Order
from tests.live import Live
from tests.processes import alive
from tests.test_crashes import assert_whole

pytestmark = pytest.mark.scenario
AT_MOST = 30.0  # s that a process may take to stop


def test_every_process_stops_when_it_is_asked_to_and_its_orders_go_on(live: Live, settings: Any) -> None:
    skus = live.products(100)
    orders: list[Order] = []
    took: dict[str, float] = {}
    for name, pid in live.stack.pids().items():
        for style in settings.STYLES:
            orders += live.place(style, skus, orders=3)
        began = time.monotonic()
        live.stack.supervisor.kill(name, signal.SIGTERM)
        live.wait_for(lambda pid=pid: not alive(pid), f"{name} stops", AT_MOST)  # type: ignore[misc]
        took[name] = time.monotonic() - began
        live.supervised_again()
    live.wait_until_ended(orders)
    assert len(took) >= 10
    assert_whole(live, orders, skus)
