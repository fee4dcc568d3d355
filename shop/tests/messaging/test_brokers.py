"""Redis or RabbitMQ by URL; and of RabbitMQ, what Redis does not have: it refuses, gives up, and answers or does not."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from celery import current_app
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from kombu import Connection, Producer
from kombu.asynchronous import Hub

from shipping.models import DeadLetter
from shop.messaging import brokers, dead_letters, given_up, rabbitmq
from shop.messaging.brokers import AWAY, broker, dead_queue
from shop.messaging.consumer import GuardedConsumer
from shop.messaging.given_up import GivenUp, declare_queues
from shop.messaging.sending import crowded_services, post, waiting
from shop.tools.up.broker import check_broker
from shop.tools.up.errors import StartError
from shop.web import health
from tests.brokers import RawMessage
from tests.servers import servers

pytestmark = pytest.mark.scenario

SETTLED = 6.0  # s after its declaration, before which RabbitMQ 3.10 may lose a queue when it is killed


@pytest.fixture
def producer(settings: Any) -> Iterator[Producer]:
    if not settings.BROKER.is_rabbitmq:
        pytest.skip("it takes RabbitMQ: make test ARGS='--broker rabbitmq'")
    with current_app.connection_for_write() as connection:
        found: Any = current_app.amqp.Producer(connection)
        declare_queues(found)
        for service in settings.SERVICES:
            found.channel.queue_purge(service)
            found.channel.queue_purge(dead_queue(service))
        yield found


def send(producer: Producer | None = None) -> None:
    post("shipping", "1", "shipping.create_labels", ([],), "", producer)


def eventually(producer: Any, queue: str, count: int) -> None:
    deadline = time.monotonic() + 10
    while producer.channel.queue_declare(queue, passive=True).message_count != count:
        assert time.monotonic() < deadline, f"{queue} does not come to hold {count}"
        time.sleep(0.02)


def keep(producer: Producer) -> None:
    GivenUp(producer).keep(["shipping"])


@pytest.mark.parametrize("url", ["sqs://key:secret@", "localhost:6379"])
def test_an_unknown_scheme_is_one_sentence_without_the_password(url: str) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=r"BROKER_URL begins with .* one of redis://, .*amqp://"
    ) as caught:
        broker(url, ["orders"], "shop:")
    assert "secret" not in str(caught.value)


def test_what_only_redis_knows_rabbitmq_is_not_told() -> None:
    for scheme in ("redis", "rediss", "amqp", "amqps"):
        found = broker(f"{scheme}://127.0.0.1/shop", ["orders"], "shop:")
        assert found.is_rabbitmq == scheme.startswith("amqp")
        assert ("global_keyprefix" in found.transport_options) != found.is_rabbitmq
        assert ("queue_arguments" in found.queues["orders"]) == found.is_rabbitmq
    assert broker("", ["orders"], "shop:") == broker("redis://127.0.0.1/0", ["orders"], "shop:")


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_a_broker_that_is_not_there_is_one_sentence_without_the_password(scheme: str) -> None:
    with pytest.raises(
        StartError, match=r"^BROKER_URL is set, but 127.0.0.1:1 does not let us in: .*\.$"
    ) as caught:
        check_broker(f"{scheme}://shop:secret@127.0.0.1:1/0")
    assert "secret" not in str(caught.value)


def test_a_broker_that_lets_us_in_is_accepted_and_one_that_does_not_is_told(producer: Any) -> None:
    url = str(current_app.conf.broker_url)
    check_broker(url)
    with pytest.raises(StartError, match=r"does not let us in: .*ACCESS_REFUSED"):
        check_broker(url.replace("shop:", "shop:not"))


def test_a_message_is_acknowledged_before_the_event_loop_waits_again() -> None:
    """Celery has its loop acknowledge, which first waits for an event: up to a second, each time."""
    consumer: Any = GuardedConsumer.__new__(GuardedConsumer)
    consumer.hub, acknowledged = Hub(), list[int]()
    consumer.call_soon_ack(acknowledged.append, 7)
    assert acknowledged == [7]


def test_a_worker_tries_a_broker_that_is_away_again_each_two_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However long it is away."""
    waits: list[float] = []

    class Stop(Exception):
        pass

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if sum(waits) > 60:
            raise Stop

    monkeypatch.setattr("kombu.utils.functional.sleep", sleep)
    consumer: Any = GuardedConsumer.__new__(GuardedConsumer)
    consumer.app, consumer.first_connection_attempt = current_app, False
    consumer.broker_connection_retry_attempt = 0
    with pytest.raises(Stop):
        consumer.ensure_connected(Connection("redis://127.0.0.1:1/0"))
    assert sum("Trying again" in line for line in caplog.messages) >= 30


@pytest.mark.parametrize("shape", ["rejected", "delivered too often", "not to be read"])
@pytest.mark.django_db(databases="__all__")
def test_what_rabbitmq_gives_up_becomes_a_dead_letter(producer: Any, shape: str) -> None:
    if shape == "not to be read":  # a content type that is no UTF-8
        producer.channel.basic_publish(
            RawMessage(b"7", b"\x80\x00\x02\xff\xfe"), exchange="", routing_key="shipping"
        )
    else:
        send(producer)
    eventually(producer, "shipping", 1)
    for _ in range(1 + brokers.MOST_DELIVERIES if shape == "delivered too often" else 1):
        message = producer.channel.basic_get("shipping")
        message.channel.basic_reject(message.delivery_tag, requeue=shape == "delivered too often")
    eventually(producer, dead_queue("shipping"), 1)
    keep(producer)
    eventually(producer, dead_queue("shipping"), 0)
    row = DeadLetter.objects.get()
    if shape == "not to be read":
        assert (row.task, "RabbitMQ gave it up" in row.reason) == ("", True)
    else:
        assert row.task == "shipping.create_labels"
        assert row.reason == given_up.REASONS["rejected" if shape == "rejected" else "delivery_limit"]
        assert "x-death" not in row.message
        assert dead_letters.send_again("shipping", [row.pk]) == 1
        eventually(producer, "shipping", 1)


@pytest.mark.django_db(databases="__all__", transaction=True)  # where the database seems away, it is closed
def test_what_can_not_be_kept_stays_in_rabbitmq(producer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    send(producer)
    eventually(producer, "shipping", 1)
    producer.channel.basic_reject(producer.channel.basic_get("shipping").delivery_tag, requeue=False)
    eventually(producer, dead_queue("shipping"), 1)

    def away(*args: object) -> None:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(dead_letters, "keep_message", away)
        with suppress(OperationalError):  # with databases apart it holds up nobody
            keep(producer)
    eventually(producer, dead_queue("shipping"), 1)
    keep(producer)
    assert DeadLetter.objects.count() == 1


@pytest.mark.django_db(databases="__all__")
def test_no_more_than_so_many_are_taken_in_a_look(producer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_up, "AT_ONCE", 2)
    for _ in range(5):
        producer.publish("x", exchange="", routing_key=dead_queue("shipping"))
    eventually(producer, dead_queue("shipping"), 5)
    keep(producer)
    eventually(producer, dead_queue("shipping"), 3)
    assert DeadLetter.objects.get().times == 2


def test_what_a_full_queue_refuses_holds_nobody_up_and_is_told(
    producer: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    arguments = {**settings.BROKER.queues["shipping"]["queue_arguments"], "x-max-length": 1}
    producer.channel.queue_delete("shipping")
    producer.channel.queue_declare("shipping", durable=True, auto_delete=False, arguments=arguments)
    try:
        connection = producer.channel.connection
        for _ in range(4):
            send(producer)
        assert (
            "The queue of shipping is full: shipping.create_labels will be sent again later." in caplog.text
        )
        assert producer.channel.connection is connection  # refused is not lost
        with pytest.raises(brokers.REFUSED):
            producer.publish("x", exchange="", routing_key="shipping")
    finally:
        producer.channel.queue_delete("shipping")
        declare_queues(producer)


def test_what_goes_to_no_queue_is_an_error_until_the_queues_are_declared_again(producer: Any) -> None:
    producer.channel.queue_delete("shipping")
    with pytest.raises(AWAY, match="NO_ROUTE"):
        send()
    with pytest.raises(AWAY, match="no queue 'shipping'"):
        crowded_services()
    declare_queues(producer)
    send()
    eventually(producer, "shipping", 1)
    assert (waiting("shipping", producer), waiting("orders", producer)) == (1, 0)
    assert crowded_services(at_least=1) == {"shipping": 1}


def test_a_rabbitmq_that_does_not_answer_is_waited_for_for_a_while(
    producer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "ANSWERS_WITHIN", 0.5)
    crowded_services()  # a connection is open
    os.kill(servers["rabbitmq"].pid, signal.SIGSTOP)
    try:
        for trying in (crowded_services, send):
            began = time.monotonic()
            with pytest.raises(AWAY):
                trying()
            assert time.monotonic() - began < 30
    finally:
        os.kill(servers["rabbitmq"].pid, signal.SIGCONT)
    assert crowded_services(at_least=100) == {}
    send()


@pytest.mark.django_db(databases="__all__")
def test_the_web_process_connects_to_rabbitmq_again_by_itself(producer: Any) -> None:
    def broker_is() -> Any:
        return health._broker()[0]

    time.sleep(SETTLED)
    assert broker_is() == "ok"
    servers["rabbitmq"].kill()
    assert broker_is() == "unreachable"
    servers["rabbitmq"].restart()
    deadline = time.monotonic() + 20
    while broker_is() != "ok":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    send()
