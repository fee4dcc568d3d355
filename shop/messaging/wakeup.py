"""The relay's loop: it sleeps until PostgreSQL says that an outbox has rows, or until it is time to look by itself."""

from __future__ import annotations

import logging
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from celery import current_app
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from shop.messaging.heartbeat import beat
from shop.messaging.leading import LISTENER, Leading
from shop.messaging.pruning import Pruning
from shop.messaging.rounds import Rounds
from shop.messaging.tables import CHANNEL, database_of, outbox_of, services

logger = logging.getLogger(__name__)


def run_for_ever(ready: Callable[[], None], stopping: Callable[[], bool]) -> None:
    """Relay until ``stopping()``. A database or broker that is away is waited for, with backoff up to 10 s."""
    wait, leading = 0.2, Leading()
    while not stopping():
        beat()
        try:
            with _listening(leading) as woken, current_app.connection_for_write() as broker:
                ready()
                rounds, pruning = (
                    Rounds(current_app.amqp.Producer(broker), leading),
                    Pruning(lambda: leading.leads),
                )
                while not stopping():
                    beat()
                    rounds.round(woken(min(rounds.patience(), pruning.patience())))
                    pruning.prune_some()
            return
        except (DatabaseError, psycopg.Error, BrokerError, RedisError, OSError) as error:
            logger.warning("Relay waits %.1f s: %s", wait, str(error).partition("\n")[0])
            close_old_connections()
            time.sleep(wait)
            wait = min(wait * 2, 10.0)


@contextmanager
def _listening(leading: Leading) -> Iterator[Callable[[float], set[str]]]:
    """Yields a function that waits up to so many seconds and returns what was notified: services whose rows are due."""
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for database in sorted({database_of(outbox_of(service)) for service in services()}):
            params = connections[database].get_connection_params()
            params = {
                key: params[key] for key in ("dbname", "host", "port", "user", "password") if params.get(key)
            }
            connection = stack.enter_context(
                psycopg.connect(**params, autocommit=True, connect_timeout=5, application_name=LISTENER)
            )
            connection.execute(f"LISTEN {CHANNEL}")
            selector.register(connection.fileno(), selectors.EVENT_READ, connection)
        leading.connected(connection)

        def woken(timeout: float) -> set[str]:
            heard: set[str] = set()
            for key, _ in selector.select(timeout):
                connection: psycopg.Connection[Any] = key.data
                heard |= {notice.payload for notice in connection.notifies(timeout=0)}
            return heard

        yield woken
