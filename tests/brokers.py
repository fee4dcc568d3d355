"""The broker as a test sees it, Redis or RabbitMQ: emptied, looked into, and given messages that nobody should send."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import amqp
import redis
from celery import current_app
from django.conf import settings
from kombu import Connection, Producer

from shop.messaging.brokers import AWAY, dead_queue
from tests.rabbitmq import OWN


def broker_environment(name: str) -> dict[str, str]:
    """For a shop that shares its broker with nobody: a prefix in Redis, a virtual host of RabbitMQ."""
    own = {"REDIS_PREFIX": f"{name}:"}
    if settings.BROKER.is_rabbitmq:
        own["BROKER_URL"] = virtual_host(name)
    return own


def virtual_host(name: str) -> str:
    return str(settings.CELERY_BROKER_URL).removesuffix(f"/{OWN}") + f"/{name}"


class Broker(Protocol):
    def flush(self) -> None:
        """Throw all messages away. A broker that is being restarted has none."""

    def put(self, service: str, shape: object) -> None:
        """A message as Redis holds it: kombu's envelope, or anything else. RabbitMQ is given what it can express."""

    def take_over(self, service: str) -> None:
        """What this process has put into its own queue goes into the shop's."""

    def producer(self) -> Any:
        """A context manager: a producer for the shop's queues."""


def broker_of(name: str) -> Broker:
    return OnRabbitMQ(name) if settings.BROKER.is_rabbitmq else OnRedis(name)


class OnRedis:
    def __init__(self, name: str) -> None:
        self._name = name

    def flush(self) -> None:
        with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
            try:
                client.flushall()
            except redis.ConnectionError:
                return

    def put(self, service: str, shape: object) -> None:
        raw = shape if isinstance(shape, bytes) else json.dumps(shape).encode()
        with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
            client.rpush(f"{self._name}:{service}", raw)  # next in line

    def take_over(self, service: str) -> None:
        with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
            client.rename(f"shop:{service}", f"{self._name}:{service}")

    @contextmanager
    def producer(self) -> Iterator[Producer]:
        options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "global_keyprefix": f"{self._name}:"}
        with Connection(settings.CELERY_BROKER_URL, transport_options=options) as connection:
            yield current_app.amqp.Producer(connection)


class OnRabbitMQ:
    def __init__(self, name: str) -> None:
        self._url = virtual_host(name)

    def flush(self) -> None:
        try:
            with self.producer() as producer:
                for service in settings.SERVICES:
                    producer.channel.queue_purge(service)
                    producer.channel.queue_purge(dead_queue(service))
        except AWAY:
            return

    def put(self, service: str, shape: object) -> None:
        with self.producer() as producer:
            producer.channel.basic_publish(_as_amqp(shape), exchange="", routing_key=service)

    def take_over(self, service: str) -> None:
        with current_app.producer_or_acquire(None) as own, self.producer() as producer:
            while message := own.channel.basic_get(service, no_ack=True):
                producer.channel.basic_publish(message, exchange="", routing_key=service)

    @contextmanager
    def producer(self) -> Iterator[Any]:
        with Connection(self._url, transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS) as connection:
            yield current_app.amqp.Producer(connection)


class RawMessage(amqp.Message):
    """Properties as bytes, such as py-amqp would not write."""

    def __init__(self, body: bytes, properties: bytes) -> None:
        super().__init__(body)
        self._raw = properties

    def _serialize_properties(self) -> bytes:
        return self._raw


def _as_amqp(shape: object) -> amqp.Message:
    if isinstance(shape, amqp.Message):
        return shape
    if not isinstance(shape, dict):
        return amqp.Message(shape if isinstance(shape, bytes) else json.dumps(shape))
    body, headers = shape.get("body", ""), shape["headers"]
    try:
        body = base64.b64decode(body)
    except (TypeError, ValueError):
        body = str(body)
    told = {"application_headers": headers} if isinstance(headers, dict) else {"reply_to": repr(headers)}
    told |= {name.replace("-", "_"): shape[name] for name in ("content-type", "content-encoding")}
    if properties := shape.get("properties"):
        told["correlation_id"] = properties.get("correlation_id", "")
    return amqp.Message(body, **told)
