"""Which of several relays gathers, confirms and prunes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from django.db import connection

from shop.messaging.leading import LISTENER, Leading
from tests.processes import eventually

Start = Callable[..., Leading]


@pytest.fixture
def start(db: None) -> Iterator[Start]:
    """Starts a relay that knows what it is told to know; or has one come ``again``, with a new connection."""
    with ExitStack() as stack:

        def start(knows: str, again: Leading | None = None) -> Leading:
            params = connection.get_connection_params()
            known = {name: params[name] for name in ("dbname", "host", "port", "user", "password")}
            leading = again or Leading()
            leading._knows = knows
            leading.connected(stack.enter_context(psycopg.connect(**known, autocommit=True)))
            leading.look()
            return leading

        yield start


def test_one_leads_and_the_next_takes_over(start: Start) -> None:
    first, second = start("all"), start("all")
    assert (first.leads, second.leads) == (True, False)
    assert first.is_current
    assert second.is_current
    assert first._connection
    first._connection.close()

    def takes_over() -> bool:  # once PostgreSQL has noticed
        second.look()
        return second.leads

    assert eventually(takes_over)


def test_who_knows_other_subscribers_and_started_later_leads(start: Start) -> None:
    old, new = start("few"), start("more")
    assert not new.leads  # the old one has not looked yet
    old.look()
    new.look()
    assert (old.leads, old.is_current, new.leads) == (False, False, True)


def test_who_comes_back_after_a_lost_connection_is_no_newer_for_it(start: Start) -> None:
    old, new = start("few"), start("more")
    assert old._connection
    old._connection.close()
    start("few", again=old)
    new.look()
    assert (old.leads, new.leads) == (False, True)


def test_who_starts_after_the_clock_was_set_back_has_started_later_all_the_same(start: Start) -> None:
    old = start("few")
    assert old._connection
    in_an_hour = f"{LISTENER} {int(old._started.split()[0]) + 3_600_000} 1 few"
    old._connection.execute("SELECT set_config('application_name', %s, false)", [in_an_hour])
    new = start("more")
    old.look()
    new.look()
    assert (old.leads, old.is_current, new.leads) == (False, False, True)
