"""Dead letters in the admin: seen, put back into the queue, dismissed; and who may."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import redis
from django.conf import settings
from django.test import Client
from kombu.exceptions import OperationalError

from orders.models import Order, Outbox
from orders.process import FORWARD, awaited
from orders.tests.pages import address, said, text
from payments.models import DeadLetter
from shop.messaging import commands, dead_letters

LIST = "payments.deadletter"
RESERVED = awaited(FORWARD[1])  # the step after it


@pytest.fixture
def letters(db: None) -> list[DeadLetter]:
    """One that was kept whole, and one that was not."""
    message = {
        "headers": {"task": "payments.unknown", "id": "1"},
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "body": '[["<b>this</b>"], {}, {}]',
    }
    for _ in range(3):
        dead_letters.keep("payments", message, "No task has this name here.", "payments.unknown")
    dead_letters.keep("payments", "{", "It is no message.")
    return list(DeadLetter.objects.order_by("id"))


@pytest.fixture
def queue() -> Iterator[redis.Redis]:
    if settings.BROKER.is_rabbitmq:
        pytest.skip("it looks into a list that is a queue of Redis's")
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.delete("shop:payments")
        yield client
        client.delete("shop:payments")


def choose(client: Client, action: str, letters: list[DeadLetter]) -> str:
    chosen = {"action": action, "_selected_action": [letter.pk for letter in letters], "confirmed": "yes"}
    return said(client.post(address(LIST, "changelist"), chosen, follow=True))


def test_equal_messages_are_one_row_and_shown_as_text(
    staff: Callable[..., Client], letters: list[DeadLetter]
) -> None:
    assert [letter.times for letter in letters] == [3, 1]
    page = text(staff().get(address(LIST, "changelist")))
    assert "No task has this name here." in page
    page = text(staff().get(address(LIST, "change", letters[0].pk)))
    assert "&lt;b&gt;this&lt;/b&gt;" in page


def test_what_was_kept_whole_is_put_back_and_the_rest_stays(
    staff: Callable[..., Client], letters: list[DeadLetter], queue: redis.Redis
) -> None:
    told = choose(staff(), "put_back", letters)
    assert "1 message was put back" in told
    assert "1 message was not kept whole" in told
    assert queue.llen("shop:payments") == 1
    assert [letter.pk for letter in DeadLetter.objects.all()] == [letters[1].pk]


def test_what_the_broker_does_not_take_stays_where_it_is(
    staff: Callable[..., Client], letters: list[DeadLetter], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("the broker is away")

    monkeypatch.setattr("kombu.Producer.publish", away)
    assert "still here: try again later" in choose(staff(), "put_back", letters)
    assert DeadLetter.objects.count() == 2


def test_what_nobody_needs_is_dismissed(staff: Callable[..., Client], letters: list[DeadLetter]) -> None:
    assert "2 messages were dismissed" in choose(staff(), "dismiss", letters)
    assert not DeadLetter.objects.exists()


def test_who_may_only_look_moves_nothing(staff: Callable[..., Client], letters: list[DeadLetter]) -> None:
    client = staff("payments.view_deadletter")
    for action in ("put_back", "dismiss"):
        client.post(
            address(LIST, "changelist"), {"action": action, "_selected_action": [letters[0].pk]}, follow=True
        )
    assert DeadLetter.objects.count() == 2


def test_the_oldest_go_when_there_are_too_many(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "KEPT", 3)
    for number in range(5):
        dead_letters.keep("payments", f"message {number}", "It is no message.")
        DeadLetter.objects.filter(message=f"message {number}").update(last_at=f"2026-01-0{number + 1}T00:00Z")
    dead_letters.keep("payments", "the last one", "It is no message.")
    assert sorted(DeadLetter.objects.values_list("message", flat=True)) == [
        "message 3",
        "message 4",
        "the last one",
    ]


def test_before_it_is_put_back_it_is_said_what_would_run(
    staff: Callable[..., Client], letters: list[DeadLetter], order: Order
) -> None:
    """Read from the stored message itself: a command, an event, one that nothing can be made of, one not kept whole."""
    event = Outbox.objects.get(order_id=order.uuid)
    bodies = {
        RESERVED.operation: json.dumps([[commands.encode([order.ref])], {}, {}]),
        "payments.on.InventoryReserved": json.dumps(
            [[json.dumps([{**event.payload, "warehouses": ["NORTH"]}])], {}, {}]
        ),
        "payments.refund_payment": "[[[1]], {}, {}]",
    }
    for task, body in bodies.items():
        message = {
            "headers": {"task": task},
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "body": body,
        }
        dead_letters.keep("payments", message, "It could not be read.", task)
    chosen = {"action": "put_back", "_selected_action": [letter.pk for letter in DeadLetter.objects.all()]}
    asked = text(staff().post(address(LIST, "changelist"), chosen))
    assert f"{RESERVED.operation} for {order.number}" in asked
    assert f"payments.on.InventoryReserved for {order.number}" in asked
    assert asked.count("A charge of GBP 10.00 at the payment provider.") == 2
    assert "payments.refund_payment can&#x27;t read it" in asked
    assert "No task has this name here: it would come back as a dead letter." in asked
    assert "It was not kept whole" in asked
    assert DeadLetter.objects.count() == 5
