"""Why an order does not move, in sentences."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Inbox, Order, Outbox
from orders.tests.pages import parked
from orders.trouble import why_it_waits
from shop.base.spans import span
from shop.messaging.tables import inbox_of


def test_why_it_waits_tells_of_every_service(order: Order) -> None:
    for service in ("inventory", "payments"):
        parked(service, order)
    parked("shipping", order, state="failing", attempts=1, due_at=timezone.now() + timedelta(seconds=30))
    parked("notifications", order, state="done")
    sentences = [finding.text for finding in why_it_waits(order, timezone.now())]
    assert any(s.startswith("inventory.act failed on OrderCreated, 8 times: Fault") for s in sentences)
    assert any(s.startswith("payments.act failed") and "parked" in s for s in sentences)
    assert any(
        s.startswith("shipping.act failed on OrderCreated, once") and "again in" in s for s in sentences
    )
    assert not any("notifications.act" in sentence for sentence in sentences)


def test_why_it_waits_names_whose_inbox_lacks_an_event_and_not_those_that_have_it(order: Order) -> None:
    row = Outbox.objects.get(order_id=order.uuid, type="OrderCreated")
    Outbox.objects.filter(pk=row.pk).update(claims=3, due_at=timezone.now() + timedelta(seconds=9))
    have = {"order_id": order.uuid, "number": order.number, "type": row.type, "event_id": row.event_id}
    Inbox.objects.create(receiver="orders.note_progress", **have)
    (lacking,) = [
        finding.text for finding in why_it_waits(order, timezone.now()) if finding.table == "outbox"
    ]
    assert lacking.startswith("OrderCreated of orders was sent 3 times, but inventory.reserve_stock has not")
    inbox_of("inventory")._default_manager.create(receiver="inventory.reserve_stock", **have)
    assert not [finding for finding in why_it_waits(order, timezone.now()) if finding.table == "outbox"]


def test_why_it_waits_says_that_no_relay_seems_to_run(order: Order) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    Outbox.objects.filter(order_id=order.uuid).update(due_at=long_ago)
    order.saga.deadline = long_ago
    assert all("is a relay running?" in finding.text for finding in why_it_waits(order, timezone.now()))


@pytest.mark.parametrize(
    ("state", "expected"), [("parked", "waits for a person"), ("ended", "is at its end")]
)
def test_why_it_waits_begins_with_the_saga(order: Order, state: str, expected: str) -> None:
    order.saga.state, order.saga.deadline = state, None
    assert expected in why_it_waits(order, timezone.now())[0].text


def test_why_it_waits_says_what_an_order_that_is_undone_has_still_coming_to_it(order: Order) -> None:
    order.saga.state, order.saga.deadline, order.saga.undo = "parked", None, "stopped"
    assert (
        "Still to be done: payment undone, stock released, cancelled, customer told."
        in why_it_waits(order, timezone.now())[0].text
    )


def test_lengths_of_time_are_said_as_people_say_them() -> None:
    told = [span(timedelta(seconds=s)) for s in (-1, 0.012, 1.24, 184, 7500, 360_000)]
    assert told == ["0 ms", "12 ms", "1.2 s", "3 min 4 s", "2 h 5 min", "4 d 4 h"]
