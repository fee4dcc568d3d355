"""The relay turns outbox rows into one durable message per (event, subscribing service), and sends it again until the
subscriber's inbox has it. Any number of relays may run: rows are claimed with SKIP LOCKED.

A row is claimed (its ``due_at`` moved on) before it is sent, so a relay killed in between costs a wait, not an event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.utils import timezone
from kombu import Producer

from shop.messaging import inbox, subscriptions
from shop.messaging.models import AbstractInbox, AbstractOutbox
from shop.messaging.points import Point, reach
from shop.messaging.tables import database_of, inbox_of, outbox_of

Row = AbstractOutbox | AbstractInbox


def relay_once(service: str, producer: Producer | None = None) -> int:
    """Send what is due of one service: events to their subscribers, failing deliveries to itself.

    Returns how many rows were due. Raises what the broker raises; the claimed rows come due again by themselves.
    """
    events = _claim_events(service)
    retries = _claim_failing(service)
    claimed = [*events, *retries]
    if not claimed:
        return 0
    reach(Point.CLAIMED, claimed)
    with current_app.producer_or_acquire(producer) as producer:
        _confirm_or_send(events, producer)
        _send(service, retries, producer, again=True)
    reach(Point.RELAYED, claimed)
    return len(claimed)


def _claim_events(service: str) -> list[AbstractOutbox]:
    outbox = outbox_of(service)
    levers = settings.MESSAGING
    table = outbox._meta.db_table
    return _returned_rows(
        outbox,
        f"""
        UPDATE {table} SET claims = least(claims + 1, 32767),
            due_at = now() + make_interval(secs => least(%s * power(2, least(claims, 16)), %s))
        WHERE id IN (
            SELECT id FROM {table} WHERE confirmed_at IS NULL AND due_at <= now()
            ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING *
        """,
        [levers["RESEND_AFTER"], levers["RESEND_CAP"], levers["CLAIM_SIZE"]],
    )


def _claim_failing(service: str) -> list[AbstractInbox]:
    table_model = inbox_of(service)
    table = table_model._meta.db_table
    return _returned_rows(
        table_model,
        f"""
        UPDATE {table} SET due_at = now() + make_interval(secs => %s) WHERE id IN (
            SELECT id FROM {table} WHERE state = 'failing' AND due_at <= now()
            ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING *
        """,
        [settings.MESSAGING["RESEND_CAP"], settings.MESSAGING["CLAIM_SIZE"]],
    )


def _returned_rows(model: type[Any], sql: str, params: Sequence[object]) -> list[Any]:
    rows = list(model._default_manager.using(database_of(model)).raw(sql, params))
    return sorted(rows, key=lambda row: row.id)


def _confirm_or_send(events: Sequence[AbstractOutbox], producer: Producer) -> None:
    """First sends go to all subscribers. Later: confirm what all their inboxes have, send the rest to who lacks it."""
    have = who_has([row for row in events if row.claims > 1])
    confirmed: list[int] = []
    to_send: dict[str, list[AbstractOutbox]] = defaultdict(list)
    for row in events:
        wanting = subscriptions.of(row.type, style=row.style)
        lacking = {
            sub.service for sub in wanting if (sub.service, sub.receiver) not in have.get(row.event_id, ())
        }
        for service in lacking:
            to_send[service].append(row)
        if not lacking:
            confirmed.append(row.pk)
    if confirmed:
        type(events[0])._default_manager.filter(pk__in=confirmed).update(confirmed_at=timezone.now())
    for service, rows in to_send.items():
        _send(service, rows, producer)


def who_has(events: Sequence[AbstractOutbox]) -> dict[UUID, set[tuple[str, str]]]:
    """The (service, receiver) pairs that have taken each event over."""
    have: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
    asked: dict[str, list[UUID]] = defaultdict(list)
    for row in events:
        for service in {sub.service for sub in subscriptions.of(row.type, style=row.style)}:
            asked[service].append(row.event_id)
    for service, event_ids in asked.items():
        for event_id, receivers in inbox.receivers_that_have(service, event_ids).items():
            have[event_id] |= {(service, receiver) for receiver in receivers}
    return have


def _send(service: str, rows: Iterable[Row], producer: Producer, *, again: bool = False) -> None:
    """Send rows to one service: one message per set of events of a type. ``again``: what a receiver failed at is due."""
    by_type: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_type[row.type].append(row)
    for event_type, of_type in by_type.items():
        for some in sets(of_type, int(settings.MESSAGING["SET_SIZE"])):
            current_app.send_task(
                subscriptions.task_name(service, event_type),
                args=[[row.payload for row in some]],
                kwargs={"again": True} if again else {},
                queue=service,
                producer=producer,
                argsrepr=", ".join(row.number for row in some),
                kwargsrepr="",
            )


def sets(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Cut rows into sets of at most ``size`` in which no order stands twice, keeping their sequence."""
    open_sets: list[dict[UUID, Row]] = []
    for row in rows:
        for some in open_sets:
            if row.order_id not in some and len(some) < size:
                some[row.order_id] = row
                break
        else:
            open_sets.append({row.order_id: row})
            if len(open_sets) > 1 and len(open_sets[0]) >= size:
                yield list(open_sets.pop(0).values())
    for some in open_sets:
        yield list(some.values())


def nudge(order_ids: Sequence[UUID]) -> None:
    """Send what no inbox has confirmed of these orders' events again, now, in every service."""
    for service in settings.SERVICES:
        outbox = outbox_of(service)
        unconfirmed = outbox._default_manager.filter(order_id__in=order_ids, confirmed_at=None)
        if unconfirmed.update(due_at=timezone.now()):
            inbox.wake_relay(service)


def take_up(order_ids: Sequence[UUID]) -> None:
    """Make all that is open for these orders due now, parked deliveries too: what a person does about one that waits."""
    nudge(order_ids)
    for service in settings.SERVICES:
        rows = inbox_of(service)._default_manager.filter(order_id__in=order_ids)
        inbox.send_again(service, list(rows.values_list("pk", flat=True)))
