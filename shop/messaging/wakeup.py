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
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections
from kombu import Producer
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from shop.messaging.relay import relay_once
from shop.messaging.sweeps import Sweeper
from shop.messaging.tables import CHANNEL, database_of, outbox_of, services

logger = logging.getLogger(__name__)


def run_for_ever(ready: Callable[[], None], stopping: Callable[[], bool]) -> None:
    """Relay until ``stopping()``. A database or broker that is away is waited for, with backoff up to 10 s."""
    wait = 0.2
    while not stopping():
        try:
            with _listening() as woken, current_app.connection_for_write() as broker:
                ready()
                _relay_while_connected(woken, current_app.amqp.Producer(broker), stopping)
            return
        except (DatabaseError, psycopg.Error, BrokerError, RedisError, OSError) as error:
            logger.warning("Relay waits %.1f s: %s", wait, str(error).partition("\n")[0])
            close_old_connections()
            time.sleep(wait)
            wait = min(wait * 2, 10.0)


def _relay_while_connected(
    woken: Callable[[float], set[str]], producer: Producer, stopping: Callable[[], bool]
) -> None:
    poll = settings.MESSAGING["POLL_EVERY"]
    next_look = 0.0
    sweeper = Sweeper()
    busy: set[str] = set()
    while not stopping():
        busy |= woken(0.0 if busy else max(0.0, next_look - time.monotonic()))
        now = time.monotonic()
        if now >= next_look:
            busy |= set(services())
            next_look = now + poll
        busy = {service for service in services() if service in busy and relay_once(service, producer) > 0}
        sweeper.sweep()


@contextmanager
def _listening() -> Iterator[Callable[[float], set[str]]]:
    """Yields a function that waits up to so many seconds and returns the services whose outbox was written to."""
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for database in sorted({database_of(outbox_of(service)) for service in services()}):
            params = connections[database].get_connection_params()
            params = {
                key: params[key] for key in ("dbname", "host", "port", "user", "password") if params.get(key)
            }
            connection = stack.enter_context(psycopg.connect(**params, autocommit=True, connect_timeout=5))
            connection.execute(f"LISTEN {CHANNEL}")
            selector.register(connection.fileno(), selectors.EVENT_READ, connection)

        def woken(timeout: float) -> set[str]:
            heard: set[str] = set()
            for key, _ in selector.select(timeout):
                connection: psycopg.Connection[Any] = key.data
                heard |= {notice.payload for notice in connection.notifies(timeout=0)}
            return heard

        yield woken
