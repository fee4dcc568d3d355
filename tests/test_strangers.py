"""Messages nobody can make anything of, in every queue: each is kept or refused, no worker ends, orders go on."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import amqp
import pytest
import redis
from django.conf import settings

from orders.process import PROCESS
from shop.messaging.dead_letters import KEPT_OF_ONE, LARGEST, dead_letters_of, send_again
from tests.brokers import RawMessage
from tests.live import Live

pytestmark = pytest.mark.scenario


@pytest.fixture(autouse=True)
def none_left(live: Live) -> Iterator[None]:
    """What is kept of them goes afterwards: other tests find nothing to do in this shop's control room."""
    yield
    for service in settings.SERVICES:
        dead_letters_of(service)._default_manager.all().delete()


def envelope(body: str | bytes, **other: Any) -> dict[str, Any]:
    """A message as kombu puts it into Redis, whatever its body."""
    raw = body if isinstance(body, bytes) else body.encode()
    return {
        "body": base64.b64encode(raw).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": "COMMAND", "id": uuid4().hex},
        "properties": {
            "correlation_id": uuid4().hex,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "SERVICE"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": uuid4().hex,
        },
        **other,
    }


def of_task(task: Any, body: object = ((), {}, {}), **headers: Any) -> dict[str, Any]:
    found = envelope(json.dumps(body))
    return {**found, "headers": {"lang": "py", "id": uuid4().hex, "task": task, **headers}}


def noting(payloads: object) -> dict[str, Any]:
    return of_task("orders.takes_note", [[payloads], {}, {}])


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"in": found}
    return found


COMMANDS = {move.service: move.operation for move in PROCESS[1:]}
SHAPES: dict[str, object] = {
    "a body that is an object": envelope('{"a":1}'),
    "an empty body": envelope(""),
    "a body that is a list of one": envelope("[1]"),
    "a body of null": envelope("null"),
    "a body that is a number": envelope("7"),
    "a body that is no JSON": envelope("{"),
    "a body that is no UTF-8": envelope(b"\xff\xfe\x00"),
    "arguments that are an object": envelope("[{},{},{}]"),
    "named arguments that are a list": envelope("[[],[],{}]"),
    "an embedded part that is a number": envelope("[[],{},7]"),
    "an oversized body": envelope("[" + "7," * (LARGEST // 2) + "7]"),
    "a body that is not base64": {**envelope("[]"), "body": "*"},
    "a body that is a number itself": {**envelope("[]"), "body": 7},
    "no body": {key: value for key, value in envelope("[]").items() if key != "body"},
    "no properties": {key: value for key, value in envelope("[]").items() if key != "properties"},
    "properties of null": envelope("[]", properties=None),
    "properties without a tag": envelope("[]", properties={"body_encoding": "base64"}),
    "headers of null": envelope("[[],{},{}]", headers=None),
    "headers that are a list": envelope("[[],{},{}]", headers=["task"]),
    "no task": envelope("[[],{},{}]", headers={}),
    "a task that is a number": of_task(7),
    "a task nobody knows": of_task("orders.on.FromTheFuture"),
    "another content type": envelope("[[],{},{}]", **{"content-type": "application/x-python-serialize"}),
    "another encoding": envelope("[[],{},{}]", **{"content-encoding": "no-such"}),
    "no id": envelope("[[],{},{}]", headers={"task": "COMMAND"}),
    "an arrival time that is none": of_task("COMMAND", eta="tomorrow"),
    "an expiry that is none": of_task("COMMAND", expires="never"),
    "too few arguments": of_task("COMMAND"),
    "too many arguments": of_task("COMMAND", [["[]", 1, 2, 3, 4], {}, {}]),
    "an argument nobody knows": of_task("COMMAND", [["[]"], {"whatever": 1}, {}]),
    "events that are no list": noting("{}"),
    "events that are a number": noting(7),
    "an event without an id": noting('[["StepFailed", {"at": 1}]]'),
    "a command without orders": of_task("COMMAND", [[7], {}, {}]),
    "a command for orders that are none": of_task("COMMAND", [[[["x", "y"]]], {}, {}]),
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe\x00",
    "an empty entry": b"",
    "a list": [],
    "null": None,
    "a number": 7,
    "a word": "word",
}

# What only AMQP can say. The first two py-amqp itself can't decode.
ONLY_AMQP: dict[str, object] = {
    "a content type that is no UTF-8": RawMessage(b"8", b"\x80\x00\x02\xff\xfe"),
    "a time that no clock shows": RawMessage(b"9", b"\x00\x40" + b"\xff" * 8),
    "a header that is no UTF-8": RawMessage(b"10", b"\x20\x00\x00\x00\x00\x05\x02\xff\xfet\x01"),
    "headers within headers": amqp.Message(b"11", application_headers=nested(60)),
    "headers of all kinds": amqp.Message(b"12", application_headers={"task": [1.5, None, {"a": [b"\xff"]}]}),
    "a task with half a character": amqp.Message(b"13", application_headers={"task": "\ud800"}),
    "compressed, but it is not": amqp.Message(
        b"14", content_type="application/json", application_headers={"task": "x", "compression": "gzip"}
    ),
    "nothing at all": amqp.Message(b""),
}


def put(live: Live, service: str, shape: object) -> None:
    if isinstance(shape, dict):
        text = json.dumps(shape).replace("SERVICE", service).replace("COMMAND", COMMANDS[service])
        shape = json.loads(text)
    live.broker.put(service, shape)


def kept(service: str) -> int:
    return sum(dead_letters_of(service)._default_manager.values_list("times", flat=True))


@pytest.mark.parametrize("service", settings.SERVICES)
def test_no_message_ends_a_worker_and_each_is_kept(live: Live, service: str) -> None:
    before, running = kept(service), live.stack.pids()
    shapes = SHAPES | (ONLY_AMQP if settings.BROKER.is_rabbitmq else {})
    for shape in shapes.values():
        put(live, service, shape)
    live.wait_for(lambda: kept(service) - before >= len(shapes), f"{service} keeps each message")
    assert kept(service) - before == len(shapes)
    assert live.stack.pids() == running
    skus = live.products()
    orders = [*live.place("orchestration", skus), *live.place("choreography", skus)]
    live.wait_until_ended(orders)
    assert {live.traces(order).status for order in orders} == {"completed"}


def test_equal_messages_are_counted_and_one_can_be_put_back(live: Live) -> None:
    table = dead_letters_of("inventory")._default_manager
    table.all().delete()
    for _ in range(3):
        put(live, "inventory", of_task("inventory.on.FromTheFuture"))
    live.wait_for(lambda: kept("inventory") == 3, "all three are kept")
    row = table.get()
    assert (row.task, row.is_whole) == ("inventory.on.FromTheFuture", True)
    assert send_again("inventory", [row.pk]) == 1  # by this process, whose queues are called otherwise
    live.broker.take_over("inventory")
    live.wait_for(lambda: kept("inventory") == 1, "it has come once more")
    put(live, "inventory", SHAPES["an oversized body"])
    live.wait_for(lambda: table.filter(is_whole=False).exists(), "the large one is kept")
    large = table.get(is_whole=False)
    assert len(large.message) == KEPT_OF_ONE
    assert send_again("inventory", [large.pk]) == 0


@pytest.mark.skipif(settings.BROKER.is_rabbitmq, reason="of its own a queue of RabbitMQ is nothing else")
@pytest.mark.parametrize("service", ["inventory", "orders"])
@pytest.mark.parametrize("kind", ["string", "hash"])
def test_what_stands_in_a_queues_place_and_is_none_is_set_aside(live: Live, service: str, kind: str) -> None:
    skus, key = live.products(), f"live:{service}"
    before = live.stack.pids()
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client, live.stack.halted(service):
        client.delete(key)  # what is lost so is sent again
        if kind == "string":
            client.set(key, "mine")
        else:
            client.hset(key, "mine", "too")
    live.wait_until_ended([live.place(style, skus)[0] for style in settings.STYLES])
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        (aside,) = client.keys(f"{key}:set-aside:*")
        assert client.type(aside) == kind.encode()
        client.delete(aside)
    assert live.stack.pids() == before


@pytest.mark.skipif(settings.BROKER.is_rabbitmq, reason="RabbitMQ keeps bindings where nobody else writes")
def test_what_stands_where_a_queue_is_bound_is_set_aside(live: Live) -> None:
    skus = live.products()
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        keys = [
            f"live:_kombu.binding{which}" for which in (".inventory", "_permanent.inventory", "_deadlines")
        ]
        for key in keys:
            client.delete(key)
            client.set(key, "mine")
        live.stack.kill("worker-inventory")
        live.wait_until_ended([live.place(style, skus)[0] for style in settings.STYLES])
        live.wait_for(
            lambda: [client.type(key) for key in keys] == [b"set", b"set", b"zset"], "it is bound again"
        )
        aside = [client.keys(f"{key}:set-aside:*") for key in keys]
        assert [len(some) for some in aside] == [1, 1, 1]
        client.delete(*(key for some in aside for key in some))
    live.supervised_again()
