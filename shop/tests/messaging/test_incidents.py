"""Silent edges: who should have reacted by now, and who may take his time."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from msgspec.structs import replace

from orders.models import Inbox as OrdersInbox
from payments.models import Incident, Outbox
from shipping.models import Inbox as ShippingInbox
from shop.messaging import incidents, queues, subscriptions
from shop.messaging.events import Event
from shop.messaging.incidents import look_for_silence, orders_with_incidents
from shop.messaging.models import AbstractInbox
from shop.tests.messaging.samples import store

pytestmark = pytest.mark.django_db(databases="__all__")

INBOXES: dict[str, type[AbstractInbox]] = {"shipping": ShippingInbox, "orders": OrdersInbox}
CREATE_LABELS = "shipping.create_labels"


@pytest.fixture(autouse=True)
def nobody_queues(monkeypatch: pytest.MonkeyPatch, db: None) -> dict[str, int]:
    """How many messages wait, as a test sets it. No service has written anything for long."""
    crowded: dict[str, int] = {}
    monkeypatch.setattr(queues, "crowded_services", lambda: crowded)
    for service in INBOXES:
        known = queues._written(service), -queues.GETS_ON
        monkeypatch.setitem(queues._seen, service, known)
    return crowded


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test moves on."""
    now = [0.0]
    monkeypatch.setattr("shop.messaging.queues.time.monotonic", lambda: now[0])
    return now


def published(count: int = 1, ago: float = 60.0) -> list[Event]:
    """Events of payments that whoever published them has sent on, so many seconds ago."""
    events = store(count)
    Outbox.objects.update(due_at=None, created_at=timezone.now() - timedelta(seconds=ago))
    return events


def take(events: Sequence[Event], *receivers: str, **more: Any) -> None:
    for event in events:
        for sub in subscriptions.of(type(event).__name__, style=event.ref.style):
            if sub.receiver in receivers:
                row = {"event_id": event.id, "receiver": sub.receiver, "type": "x", "order_id": event.ref.id}
                INBOXES[sub.service]._default_manager.create(**row, **more)


def silent(gathered_until: int = sys.maxsize) -> list[str]:
    look_for_silence("payments", gathered_until)
    return sorted(Incident.objects.filter(closed_at=None).values_list("receiver", flat=True))


def test_who_has_not_reacted_in_time_is_named_with_order_event_and_since_when() -> None:
    (event,) = published()
    take([event], "orders.note_progress")
    assert silent() == [CREATE_LABELS]
    row = Incident.objects.get()
    assert (row.type, row.order_id, row.number, row.within) == (
        "PaymentProcessed",
        event.ref.id,
        event.ref.number,
        30.0,
    )
    assert row.since == Outbox.objects.get().created_at
    assert orders_with_incidents() == {event.ref.id}
    assert silent() == [CREATE_LABELS]  # and is so once


def test_each_subscription_has_its_own_time() -> None:
    published(ago=12)
    assert silent() == ["orders.note_progress"]
    Outbox.objects.update(created_at=timezone.now() - timedelta(seconds=31))
    assert silent() == ["orders.note_progress", CREATE_LABELS]


def test_what_nobody_was_asked_to_note_yet_is_not_late() -> None:
    published(ago=12)
    assert silent(gathered_until=0) == []
    assert silent() == ["orders.note_progress"]


def test_who_only_takes_note_is_waited_for_while_his_service_gets_on() -> None:
    published(ago=12)
    OrdersInbox.objects.create(event_id=uuid4(), receiver="x", order_id=uuid4())
    assert silent() == []


def test_a_reaction_closes_it() -> None:
    events = published(2)
    take(events, "orders.note_progress")
    assert len(silent()) == 2
    take(events[:1], CREATE_LABELS)
    assert len(silent()) == 1
    assert Incident.objects.get(order_id=events[0].ref.id).closed_at
    assert orders_with_incidents() == {events[1].ref.id}


@pytest.mark.parametrize("state", ["failing", "parked"])
def test_what_has_failed_is_not_silent(state: str) -> None:
    events = published()
    take(events, "orders.note_progress", CREATE_LABELS, state=state)
    assert silent() == []


def test_what_no_relay_has_sent_yet_waits_at_the_entrance() -> None:
    published()
    Outbox.objects.update(due_at=timezone.now(), claims=0)
    assert silent() == []
    Outbox.objects.update(claims=1)
    assert len(silent()) == 2


def test_who_gets_on_with_what_came_before_is_waited_for_but_not_for_ever(now: list[float]) -> None:
    before, _ = events = published(2)
    take(events, "orders.note_progress")
    take([before], CREATE_LABELS)
    assert silent() == []
    now[0] += queues.GETS_ON + 1
    assert silent() == [CREATE_LABELS]
    Incident.objects.all().delete()
    ShippingInbox.objects.create(event_id=uuid4(), receiver="x", order_id=uuid4())
    assert silent() == []
    Outbox.objects.update(created_at=timezone.now() - timedelta(seconds=301))
    assert silent() == [CREATE_LABELS]


def test_what_was_overtaken_is_not_waited_for() -> None:
    lost, handled = published(2)
    take([lost, handled], "orders.note_progress")
    much_later = handled.id.int + (int(queues.OVERTAKEN * 1000 + 1000) << 80)
    Outbox.objects.filter(event_id=handled.id).update(event_id=UUID(int=much_later))
    take([replace(handled, id=UUID(int=much_later))], CREATE_LABELS, "orders.note_progress")
    assert silent() == [CREATE_LABELS]
    assert orders_with_incidents() == {lost.ref.id}


def test_an_id_that_tells_no_time_has_overtaken_nobody() -> None:
    """Such as a failed command's, which is the same for all who fail in one try."""
    take(published(), "orders.note_progress")
    no_time = UUID("ffffffff-ffff-5fff-8fff-ffffffffffff")
    ShippingInbox.objects.create(event_id=no_time, receiver=CREATE_LABELS, order_id=uuid4())
    assert silent() == []


def test_a_long_queue_is_waited_for_as_long_as_it_is_worked_off(
    nobody_queues: dict[str, int], now: list[float]
) -> None:
    take(published(ago=900), "orders.note_progress")
    nobody_queues["shipping"] = 500
    for _ in range(4):  # its inbox grows, with what other receivers have handled
        now[0] += queues.GETS_ON - 1
        ShippingInbox.objects.create(event_id=uuid4(), receiver="x", order_id=uuid4())
        assert silent() == []
    now[0] += queues.GETS_ON - 1
    assert silent() == []
    now[0] += 2
    assert silent() == [CREATE_LABELS]


def test_no_more_are_open_than_a_person_can_read_and_one_line_tells_of_many(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(incidents, "OPEN_AT_MOST", 3)
    take(published(5), "orders.note_progress")
    with caplog.at_level(logging.ERROR, logger="shop.messaging.incidents"):
        assert silent() == [CREATE_LABELS] * 3
    assert [
        record.getMessage() for record in caplog.records if record.name == "shop.messaging.incidents"
    ] == [f"{CREATE_LABELS} has not reacted to PaymentProcessed of S-1 and 2 more within 30 s."]
