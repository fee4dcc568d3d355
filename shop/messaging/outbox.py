"""What is written where an operation ends: the events it publishes, and which of its deliveries they answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from django.db.models import Q, QuerySet

from shop.messaging.events import Event
from shop.messaging.models import AbstractInbox, AbstractOutbox
from shop.messaging.rows import as_json, execute, unfolded
from shop.messaging.tables import CHANNEL, confirmed_sequence, inbox_of, outbox_of

STORED = ("event_id", "type", "order_id", "number", "style", "payload")
TAKEN = ("event_id", "receiver", "type", "order_id", "number")


def write(
    service: str,
    events: Sequence[Event],
    *,
    receiver: str = "",
    answered: Sequence[Event] = (),
    due: bool = True,
) -> int:
    """Store events in the outbox and mark those that ``receiver`` ``answered`` as handled, in the current transaction.

    ``due``: the relay sends them, at once; else who wrote them does. Returns how many had not been handled before.
    """
    if not (events or answered):
        return 0
    stored = [
        {
            "event_id": event.id,
            "type": type(event).__name__,
            "order_id": event.ref.id,
            "number": event.ref.number,
            "style": event.ref.style,
            "payload": event,
        }
        for event in events
    ]
    taken = [
        {
            "event_id": event.id,
            "receiver": receiver,
            "type": type(event).__name__,
            "order_id": event.ref.id,
            "number": event.ref.number,
        }
        for event in answered
    ]
    news = service if events and due else ""
    ((count, _),) = execute(
        outbox_of(service), _write(service), due, as_json(stored), as_json(taken), news, news, fetch=True
    )
    return int(count)


@lru_cache
def _write(service: str) -> str:
    outbox, inbox = outbox_of(service), inbox_of(service)
    return f"""
        WITH stored AS (
            INSERT INTO {outbox._meta.db_table} ({", ".join(STORED)}, due_at)
            SELECT {", ".join(STORED)}, CASE WHEN %s THEN now() END FROM {unfolded(outbox, STORED)}
        ), taken AS (
            INSERT INTO {inbox._meta.db_table} AS known ({", ".join(TAKEN)}, state)
            SELECT {", ".join(TAKEN)}, '{AbstractInbox.State.DONE}' FROM {unfolded(inbox, TAKEN)} ORDER BY event_id
            ON CONFLICT (event_id, receiver) DO UPDATE
            SET state = excluded.state, due_at = NULL, error = '', payload = NULL WHERE known.state <> excluded.state
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM taken), (SELECT pg_notify('{CHANNEL}', %s) WHERE %s <> '')
        """


def confirmed_until(service: str) -> int:
    """Up to this id every event has been looked after: who lacked it then has it, or it is marked as due."""
    ((position,),) = execute(
        outbox_of(service), f"SELECT last_value FROM {confirmed_sequence(service)}", fetch=True
    )
    return int(position)


def unconfirmed(service: str) -> QuerySet[AbstractOutbox]:
    """The events of which it is not known yet that all who hear them have them."""
    open_ = Q(due_at__isnull=False) | Q(id__gt=confirmed_until(service))
    return outbox_of(service)._default_manager.filter(open_)


def of_orders(service: str, order_ids: Sequence[UUID]) -> QuerySet[AbstractOutbox]:
    """All events a service has published of these orders."""
    return outbox_of(service)._default_manager.filter(order_id__in=order_ids)


def not_yet_sent(service: str, order_ids: Sequence[UUID]) -> set[UUID]:
    """Of these orders, those with an event that no relay has come to yet: it waits at the entrance."""
    waiting = of_orders(service, order_ids).filter(due_at__isnull=False, claims=0)
    return set(waiting.values_list("order_id", flat=True)) if order_ids else set()
