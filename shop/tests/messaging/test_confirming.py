"""The position that moves along an outbox: over what everybody has, and never over what may still be lost."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connections, transaction

from orders.models import Inbox as OrdersInbox
from payments.models import Outbox
from shipping.models import Inbox as ShippingInbox
from shop.base.databases import alias_of
from shop.messaging.confirming import Confirming
from shop.messaging.events import Event
from shop.messaging.outbox import confirmed_until, unconfirmed
from shop.messaging.subscriptions import of
from shop.tests.messaging.samples import store

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture(autouse=True)
def at_once(settings: Any) -> None:
    settings.MESSAGING = {**settings.MESSAGING, "RESEND_AFTER": 0.0}


def sent_on(count: int) -> list[Event]:
    """Events that whoever published them has sent on."""
    events = store(count)
    Outbox.objects.update(due_at=None)
    return events


def take(events: Sequence[Event]) -> None:
    """All who hear these events have them in their inbox."""
    for event in events:
        for sub in of(type(event).__name__, style=event.ref.style):
            inbox = OrdersInbox if sub.service == "orders" else ShippingInbox
            inbox.objects.create(event_id=event.id, receiver=sub.receiver, type="x", order_id=event.ref.id)


def look(times: int = 3, sent_until: int = sys.maxsize) -> None:
    confirming = Confirming(lambda service: sent_until)
    for _ in range(times):
        confirming.look("payments")


def test_what_all_have_is_confirmed_and_no_row_is_written() -> None:
    take(sent_on(3))
    before = list(Outbox.objects.values_list("claims", "due_at"))
    look()
    assert confirmed_until("payments") == Outbox.objects.order_by("-id")[0].pk
    assert not unconfirmed("payments").exists()
    assert list(Outbox.objects.values_list("claims", "due_at")) == before


def test_what_somebody_lacks_is_due_again_and_holds_up_nothing() -> None:
    events = sent_on(3)
    take([events[0], events[2]])
    look()
    assert confirmed_until("payments") == Outbox.objects.order_by("-id")[0].pk
    assert [row.event_id for row in unconfirmed("payments")] == [events[1].id]
    row = Outbox.objects.get(event_id=events[1].id)
    assert (row.due_at is not None, row.claims) == (True, 1)


def test_what_no_relay_has_taken_up_stays_ahead_of_the_position() -> None:
    first, second = sent_on(1), store(1)
    take([*first, *second])
    Outbox.objects.filter(event_id=first[0].id).update(due_at=None)
    look()
    assert confirmed_until("payments") == Outbox.objects.get(event_id=first[0].id).pk


def test_what_is_still_being_gathered_is_not_looked_for() -> None:
    before, (event, _) = confirmed_until("payments"), sent_on(2)
    first = Outbox.objects.get(event_id=event.id).pk
    take([event])
    look(sent_until=first)
    assert confirmed_until("payments") == first > before
    assert not Outbox.objects.exclude(due_at=None).exists()


def test_a_row_that_is_committed_late_is_not_passed_over() -> None:
    """Its id is lower than that of a row which is there already."""
    inserted, over = threading.Event(), threading.Event()
    late: list[Event] = []

    def commit_late() -> None:
        with transaction.atomic(using=alias_of("payments")):
            late.extend(store(1))
            inserted.set()
            over.wait(20)
        connections.close_all()

    thread = threading.Thread(target=commit_late)
    thread.start()
    assert inserted.wait(10)
    take(sent_on(1))
    before = confirmed_until("payments")
    look(5)
    passed = confirmed_until("payments") > before
    over.set()
    thread.join(10)
    assert not passed
    Outbox.objects.update(due_at=None)
    look()
    assert [row.event_id for row in unconfirmed("payments")] == [late[0].id]
