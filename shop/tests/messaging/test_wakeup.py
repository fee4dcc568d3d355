"""What a relay hears of its databases, and that it goes on hearing when one has been away."""

from __future__ import annotations

import os
import socket

import psycopg
import pytest
from django.db import connections

from shop.messaging import reach
from shop.messaging.leading import Leading, leads_in
from shop.messaging.reach import only_losing
from shop.messaging.tables import CHANNEL
from shop.messaging.wakeup import _Listening
from tests.processes import eventually


@pytest.mark.django_db(transaction=True, databases="__all__")  # where the database seems away, it is closed
def test_a_lost_connection_is_opened_again_whoever_was_the_first_to_find_it_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """libpq then closes the socket, of which no selector says anything any more."""
    monkeypatch.setattr(
        reach, "databases", lambda: ["orders", "another"]
    )  # apart, so each may be away by itself
    monkeypatch.setattr(reach, "LEFT_ALONE", 0.0)
    leading = Leading()
    with _Listening(leading) as listening:
        leading.look()
        assert leading.leads
        assert leading._connection
        end_session(leading._connection)
        with only_losing(leads_in()):
            leading.look()
        listening.woken(0)
        assert not leading.leads
        with connections[leads_in()].cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, 'orders')", [CHANNEL])
        assert eventually(lambda: "orders" in listening.woken(0.1))
        leading.look()
        assert leading.leads


@pytest.mark.django_db(databases="__all__")
def test_a_host_that_vanishes_is_noticed_by_whoever_talks_to_it_or_listens() -> None:
    with _Listening(Leading()) as listening, connections[leads_in()].cursor() as cursor:
        for open_one in (listening._open[leads_in()], cursor.connection):
            with socket.socket(fileno=os.dup(open_one.fileno())) as wire:
                assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
                assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5


def end_session(connection: psycopg.Connection[object]) -> None:
    """As when PostgreSQL dies, and at once."""
    with connections[leads_in()].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
