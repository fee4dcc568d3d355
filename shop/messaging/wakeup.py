"""The relay's loop: it sleeps until PostgreSQL says that an outbox has rows, or until it is time to look by itself."""

from __future__ import annotations

import logging
import selectors
import time
from collections.abc import Callable
from typing import Any, Self

import psycopg
from celery import current_app
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from shop.messaging import brokers
from shop.messaging.given_up import declare_queues
from shop.messaging.heartbeat import beat
from shop.messaging.leading import LISTENER, Leading, leads_in
from shop.messaging.pruning import Pruning
from shop.messaging.reach import answers, databases, lets_in, only_losing
from shop.messaging.rounds import Rounds
from shop.messaging.tables import CHANNEL

logger = logging.getLogger(__name__)

LONGEST_WAIT = 3.0  # s until a database or broker that is away is tried again


def run_for_ever(ready: Callable[[], None], stopping: Callable[[], bool]) -> None:
    """Relay until ``stopping()``. A database or broker that is away is waited for, with backoff up to 3 s."""
    wait, leading = 0.2, Leading()
    while not stopping():
        beat()
        try:
            with _Listening(leading) as listening, current_app.connection_for_write() as broker:
                producer = current_app.amqp.Producer(broker)
                declare_queues(producer)
                ready()
                rounds = Rounds(producer, leading)
                pruning = Pruning(lambda: leading.leads)
                while not stopping():
                    beat()
                    rounds.round(listening.woken(min(rounds.patience(), pruning.patience())))
                    pruning.prune_some()
                    wait = 0.2
            return
        except (DatabaseError, psycopg.Error, *brokers.AWAY) as error:
            logger.warning("Relay waits %.1f s: %s", wait, str(error).partition("\n")[0])
            close_old_connections()
            time.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)


class _Listening:
    """Hears from every database what is due in it; one that is away is connected to again when it is back."""

    def __init__(self, leading: Leading) -> None:
        self._leading = leading
        self._open: dict[str, psycopg.Connection[Any]] = {}
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        try:
            self._connect()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        for database in [*self._open]:
            self._close(database)
        self._selector.close()

    def woken(self, timeout: float) -> set[str]:
        """Wait up to so many seconds. Returns what was notified: services of which rows are due."""
        self._connect()
        heard: set[str] = set()
        for key, _ in self._selector.select(timeout):
            with only_losing(key.data):
                heard |= {notice.payload for notice in self._open[key.data].notifies(timeout=0)}
        self._close_lost()
        return heard

    def _connect(self) -> None:
        self._close_lost()
        for database in databases():
            if not answers(database):
                continue
            if database in self._open:
                lets_in(database)
                continue
            with only_losing(database):
                params = connections[database].get_connection_params()
                known = ("dbname", "host", "port", "user", "password", *settings.DATABASE_VANISHED)
                connection = psycopg.connect(
                    **{key: params[key] for key in known if params.get(key)},
                    autocommit=True,
                    connect_timeout=5,
                    application_name=LISTENER,
                )
                connection.execute(f"LISTEN {CHANNEL}")
                if database == leads_in():
                    self._leading.connected(connection)
                self._selector.register(connection.fileno(), selectors.EVENT_READ, database)
                self._open[database] = connection
                lets_in(database)

    def _close_lost(self) -> None:
        """Whoever found it lost: of a closed socket the selector says nothing."""
        for database in [database for database, connection in self._open.items() if connection.closed]:
            self._close(database)

    def _close(self, database: str) -> None:
        if connection := self._open.pop(database, None):
            if database == leads_in():
                self._leading.disconnected()
            for key in [*self._selector.get_map().values()]:
                if key.data == database:
                    self._selector.unregister(key.fd)
            connection.close()
