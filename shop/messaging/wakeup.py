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

from shop.messaging.confirming import Confirming
from shop.messaging.gathering import Gathering
from shop.messaging.relay import relay_once
from shop.messaging.sending import waiting
from shop.messaging.sweeps import Sweeper
from shop.messaging.tables import CHANNEL, NEWS, database_of, outbox_of, services

logger = logging.getLogger(__name__)

BUSY = (
    4  # times as long are events gathered in a busy shop: of each order more of them are then noted at once
)
MERGED_FOR = (
    0.25  # s for which events wait, one after the other, while messages wait in the queues: they become sets
)
LISTENER = "relay"  # how its connections are called in pg_stat_activity; its healthcheck looks for it
GATHERS = 0x6F7574626F78  # "outbox": the advisory lock of the relay that gathers and confirms


def run_for_ever(ready: Callable[[], None], stopping: Callable[[], bool]) -> None:
    """Relay until ``stopping()``. A database or broker that is away is waited for, with backoff up to 10 s."""
    wait = 0.2
    while not stopping():
        try:
            with _listening() as (woken, gathers), current_app.connection_for_write() as broker:
                ready()
                _relay_while_connected(woken, gathers, current_app.amqp.Producer(broker), stopping)
            return
        except (DatabaseError, psycopg.Error, BrokerError, RedisError, OSError) as error:
            logger.warning("Relay waits %.1f s: %s", wait, str(error).partition("\n")[0])
            close_old_connections()
            time.sleep(wait)
            wait = min(wait * 2, 10.0)


def _relay_while_connected(
    woken: Callable[[float], set[str]],
    gathers: Callable[[], bool],
    producer: Producer,
    stopping: Callable[[], bool],
) -> None:
    """Due rows are sent at once. News are gathered for a moment; all is looked at now and then, whoever is silent."""
    poll, moment = settings.MESSAGING["POLL_EVERY"], settings.MESSAGING["GATHER_FOR"]
    sweeper, gathering = Sweeper(), Gathering(producer)
    confirming = Confirming(gathering.read_until)
    next_look = next_gathering = 0.0
    sent_at = held_back = 0.0
    due: set[str] = set()
    news: set[str] = set()
    while not stopping():
        until = min(next_look, next_gathering) if news else next_look
        heard = woken(min(held_back, MERGED_FOR / 10) if due else max(0.0, until - time.monotonic()))
        due |= heard & set(services())
        if fresh := {name.removeprefix(NEWS) for name in heard}:
            if not news:
                next_gathering = max(next_gathering, time.monotonic() + moment)
            news |= fresh
        now = time.monotonic()
        if looking := now >= next_look:
            due |= set(services())
            news |= set(services())
            next_look = now + poll
        crowded = due and now < sent_at + MERGED_FOR and any(waiting(name, producer) for name in services())
        held_back = MERGED_FOR if crowded else 0.0
        in_turn = [
            name for name in services() if name in due
        ]  # orders' first: a cancellation overtakes the next step
        sent = {name for name in in_turn if relay_once(name, producer, held_back=held_back) > 0}
        sent_at = now if sent else sent_at
        due = due if held_back else sent
        if gathers():
            if news and now >= next_gathering:
                news = gathering.gather(news)
                next_gathering = time.monotonic() + (moment if gathering.quiet else BUSY * moment)
            if looking and sum(confirming.look(service) for service in services()):  # all of them look
                next_look = now
        else:
            news.clear()
        sweeper.sweep()


@contextmanager
def _listening() -> Iterator[tuple[Callable[[float], set[str]], Callable[[], bool]]]:
    """Yields two functions.

    One waits up to so many seconds and returns what was notified: services of which rows are due, or ``NEWS`` and the
    service. The other says whether this process is the one that gathers and confirms, as long as it is connected.
    """
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
        chosen = False

        def woken(timeout: float) -> set[str]:
            heard: set[str] = set()
            for key, _ in selector.select(timeout):
                connection: psycopg.Connection[Any] = key.data
                heard |= {notice.payload for notice in connection.notifies(timeout=0)}
            return heard

        def gathers() -> bool:
            nonlocal chosen
            if not chosen:
                row = connection.execute("SELECT pg_try_advisory_lock(%s)", [GATHERS]).fetchone()
                chosen = bool(row and row[0])
            return chosen

        yield woken, gathers
