"""What RabbitMQ gives up (rejected, or delivered too often) goes from its dead-letter queues into the table DeadLetter.

The relay that leads takes it, a few in a round. On Redis there is none of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from celery import current_app
from django.conf import settings
from kombu import Exchange, Producer, Queue

from shop.messaging import dead_letters
from shop.messaging.brokers import DEAD, MOST_DELIVERIES, dead_queue
from shop.messaging.reach import only_holding_up
from shop.messaging.rows import execute
from shop.messaging.tables import services

EVERY = 5.0  # s between two looks
AT_ONCE = 20  # messages of one service in a look
REASONS = {
    "delivery_limit": f"In {MOST_DELIVERIES} deliveries no worker has acknowledged it.",
    "expired": "It had expired.",
    "maxlen": "Its queue was full.",
    "rejected": "It was rejected.",
}


def declare_queues(producer: Producer) -> None:
    """On RabbitMQ, have all queues there before anything is sent: what is sent to none it drops."""
    if not settings.BROKER.is_rabbitmq:
        return
    channel: Any = producer.channel
    exchange = Exchange(DEAD, type="direct", durable=True)
    for service in services():
        like_it = {"x-queue-type": "quorum"}
        dead = Queue(dead_queue(service), exchange, routing_key=service, queue_arguments=like_it)
        dead(channel).declare()
        current_app.amqp.queues[service](channel).declare()


class GivenUp:
    """Looks now and then, in one process."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._next_look = 0.0

    def keep(self, some: Iterable[str]) -> None:
        """Of these services, where it is time. Raises what the broker raises."""
        if not settings.BROKER.is_rabbitmq or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + EVERY
        for service in some:
            with only_holding_up(service):
                self._keep_of(service)

    def _keep_of(self, service: str) -> None:
        channel: Any = self._producer.channel
        for _ in range(AT_ONCE):
            # First whether it can be kept at all: RabbitMQ counts how often it takes a message back.
            execute(dead_letters.dead_letters_of(service), "SELECT 1")
            raw = channel.basic_get(dead_queue(service), no_ack=False)
            if raw is None:
                return
            message = channel.message_to_python(raw)
            why = str(message.headers.get("x-first-death-reason"))
            try:
                dead_letters.keep_message(service, message, REASONS.get(why, "RabbitMQ gave it up."))
            except BaseException:
                message.reject(requeue=True)
                raise
            message.ack()
