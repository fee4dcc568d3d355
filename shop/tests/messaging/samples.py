"""What the kernel's tests send: an event of their own, and rows as if it had been published long ago."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from payments.events import PaymentProcessed
from payments.models import Outbox
from shop.messaging.events import Event, Ref, registry
from shop.messaging.recording import recording
from shop.messaging.rows import execute
from shop.messaging.subscriptions import Subscription
from shop.messaging.tables import confirmed_sequence, outbox_of

LONG_AGO = timezone.now() - timedelta(days=1)  # in a test's one transaction, now() stands still


class Rang(Event, frozen=True, kw_only=True):
    """Of these tests only: nobody but them hears it."""

    bells: list[str] = []


del registry["Rang"]  # known only while these tests run: see conftest.py


def ref(style: str = "choreography") -> Ref:
    return Ref(id=uuid4(), number="S-1", style=style)


def subscription(reaction: Any, style: str | None = None) -> Subscription:
    return Subscription(Rang, "payments", "payments.react", style, reaction)


def store(count: int = 1, event: type[Event] = PaymentProcessed, **fields: Any) -> list[Event]:
    """So many events in payments' outbox, due. By default some that shipping acts on and orders notes."""
    fields = fields or {"amount_minor": 1, "currency": "GBP"}
    events = [event(ref=ref(), **fields) for _ in range(count)]
    with recording("payments") as record:
        for one in events:
            record.publish(one)
    Outbox.objects.update(due_at=LONG_AGO)
    return events


def confirmed_up_to(service: str, position: int) -> None:
    """As if the events up to this id had been looked after."""
    execute(outbox_of(service), f"SELECT setval('{confirmed_sequence(service)}', %s)", position)
