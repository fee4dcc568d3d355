"""What can go wrong at a provider, on request."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import time_machine

from shop.sandbox.mishaps import OUTAGES, Timing


def test_a_provider_is_down_for_its_time_and_no_longer_for_a_clock_that_is_set_back() -> None:
    timing = Timing(down_seconds=5.0)
    with sqlite3.connect(":memory:") as books, time_machine.travel(timedelta(0), tick=False) as clock:
        books.executescript(OUTAGES)
        assert timing.down(books, "key")
        clock.shift(4.0)
        assert timing.down(books, "key")
        clock.shift(2.0)
        assert not timing.down(books, "key")
        clock.shift(-3600.0)
        assert not timing.down(books, "key")
    books.close()
