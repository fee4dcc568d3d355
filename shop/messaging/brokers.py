"""Which broker carries the messages: Redis, or RabbitMQ where ``BROKER_URL`` begins with amqp.

What Celery must be told about each, and what each raises when it is away, stands here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from amqp.exceptions import AMQPError, MessageNacked
from django.core.exceptions import ImproperlyConfigured
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

# What kombu makes of a URL's scheme. Its own transports end a worker where something is no message, or wait for ever.
TRANSPORTS = {
    "redis": "shop.messaging.transport:Transport",
    "rediss": "shop.messaging.transport:Transport",
    "amqp": "shop.messaging.rabbitmq:Transport",
    "amqps": "shop.messaging.rabbitmq:SSLTransport",
}
DEAD = "dead-letters"  # on RabbitMQ: the exchange to which it gives what it gives up
MOST_WAITING = 100_000  # messages in a queue of RabbitMQ; what comes then it refuses, and the outbox keeps it
MOST_DELIVERIES = 20  # of one message that is never acknowledged; RabbitMQ then gives it up

REFUSED = MessageNacked  # RabbitMQ has answered that it does not take a message: its queue is full
SAYS_AWAY = (OperationalError, AMQPError, REFUSED)  # of these no order is the reason
AWAY = (*SAYS_AWAY, RedisError, OSError)


@dataclass(frozen=True)
class Broker:
    """As the settings have it."""

    is_rabbitmq: bool
    transport: str  # its module
    queues: dict[str, dict[str, Any]]
    transport_options: dict[str, Any]


def broker(url: str, services: Iterable[str], prefix: str) -> Broker:
    """``url``: empty for the Redis of ``REDIS_URL``. ``prefix``: of its keys there. Raises ImproperlyConfigured."""
    scheme = urlsplit(url).scheme if url else "redis"
    if scheme not in TRANSPORTS:
        known = ", ".join(f"{name}://" for name in TRANSPORTS)
        raise ImproperlyConfigured(f"BROKER_URL begins with {scheme!r}; it must begin with one of {known}.")
    transport = TRANSPORTS[scheme].partition(":")[0]
    if scheme.startswith("amqp"):
        return Broker(True, transport, {name: _quorum_queue(name) for name in services}, _rabbitmq_options())
    return Broker(False, transport, {name: _queue(name) for name in services}, _redis_options(prefix))


def dead_queue(service: str) -> str:
    """Where RabbitMQ puts what it gives up of this service's messages."""
    return f"{service}.dead"


def _queue(service: str) -> dict[str, Any]:
    return {"exchange": service, "routing_key": service}


def _redis_options(prefix: str) -> dict[str, Any]:
    return {
        "global_keyprefix": prefix,
        "ack_emulation": False,  # a message a worker died with is sent again from its outbox, long before Redis would
        "socket_timeout": 10,
        "socket_connect_timeout": 4,
        "socket_keepalive": True,
    }


def _quorum_queue(service: str) -> dict[str, Any]:
    """RabbitMQ fixes these when the queue is declared: to change one, delete the empty queue."""
    arguments = {
        "x-queue-type": "quorum",  # on disk, and on a majority of nodes, before a publish is confirmed
        "x-delivery-limit": MOST_DELIVERIES,
        "x-max-length": MOST_WAITING,
        "x-overflow": "reject-publish",  # never the oldest: refused is what its sender hears of
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": service,
        "x-dead-letter-strategy": "at-least-once",
    }
    return {**_queue(service), "queue_arguments": arguments}


def _rabbitmq_options() -> dict[str, Any]:
    return {
        "confirm_publish": True,
        "write_timeout": 10,  # for answers shop/messaging/rabbitmq.py sets one
    }
