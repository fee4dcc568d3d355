"""Counts what an order costs, with no clock in it: messages, statements, transactions, row versions.

The broker and the database are real; this process alone takes the messages from the queues, one after the other, and
runs them as a worker would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis
from celery import current_app
from celery.worker.request import Request
from django.conf import settings
from django.db import connections
from django.test.utils import CaptureQueriesContext

from shop.messaging.gathering import Gathering
from shop.messaging.relay import relay_once

MOST_MESSAGES = 200  # in one run: more would be messages that go in a circle
GATHERED_AFTER = 4  # messages; a lone order's events are noted while it is on its way, and at its end


@dataclass
class Count:
    """``statements`` leaves out what begins and ends a transaction."""

    messages: list[str] = field(default_factory=list)
    statements: int = 0
    transactions: int = 0
    row_versions: int = 0

    @property
    def figures(self) -> tuple[int, int, int, int]:
        return len(self.messages), self.statements, self.transactions, self.row_versions


class OneByOne:
    """Takes messages from the services' queues and runs them here."""

    def __init__(self, broker: redis.Redis) -> None:
        self.ran: list[str] = []
        self._connection = current_app.connection_for_write()
        self._channel: Any = self._connection.channel()
        self._gathering = Gathering(current_app.amqp.Producer(self._connection))
        for service in settings.SERVICES:
            broker.delete(f"shop:{service}")
        self._gathering.gather(settings.SERVICES)  # from here on
        broker.delete("shop:orders")

    def all(self) -> None:
        """Send what has been placed, run what comes of it, and note it, until nothing is left."""
        relay_once("orders", retries=False)  # as a relay does that was woken
        while self._one():
            if len(self.ran) == GATHERED_AFTER:
                self._gathering.gather(settings.SERVICES)
            assert len(self.ran) <= MOST_MESSAGES
        self._gathering.gather(settings.SERVICES)
        while self._one():
            pass
        self._connection.release()

    def _one(self) -> bool:
        for service in settings.SERVICES:
            message = self._channel.basic_get(service)
            if message is not None:
                request = Request(message, app=current_app, on_ack=message.ack_log_error)
                request.execute()
                self.ran.append(request.name)
                return True
        return False


@contextmanager
def counting() -> Iterator[Count]:
    """Counts what this process sends to all databases; the count is there at the end."""
    count = Count()
    before = _row_versions()
    with ExitStack() as stack:
        captured = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections]
        yield count
    texts = [query["sql"] for context in captured for query in context.captured_queries]
    count.transactions = sum(text.startswith("BEGIN") for text in texts)
    count.statements = sum(not text.startswith(("BEGIN", "COMMIT")) for text in texts)
    count.row_versions = _row_versions() - before


def _row_versions() -> int:
    total = 0
    for name in {connections[alias].settings_dict["NAME"]: alias for alias in connections}.values():
        with connections[name].cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables")
            total += int(cursor.fetchone()[0])
    return total


def cost_of(place: Callable[[], object], broker: redis.Redis) -> Count:
    """What it costs to place orders and bring them to their end."""
    queues = OneByOne(broker)
    with counting() as count:
        place()
        queues.all()
    count.messages = queues.ran
    return count
