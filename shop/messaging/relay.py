"""The relay sends what the outboxes hold and nobody else has sent: what has just been placed, and whatever is due again.
Any number of relays may run: rows are claimed with SKIP LOCKED.

A row is claimed (its ``due_at`` moved on) before it is sent, so a relay killed in between costs a wait, not an event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db.models.functions import Now
from kombu import Producer

from shop.messaging import inbox
from shop.messaging.confirming import confirm, lacking, make_due
from shop.messaging.delivery import deliver
from shop.messaging.events import registry
from shop.messaging.outages import waited_for
from shop.messaging.outbox import of_orders
from shop.messaging.points import Point, reach
from shop.messaging.reach import only_holding_up, when_back, within_reach
from shop.messaging.retries import furthest
from shop.messaging.rows import as_array, execute
from shop.messaging.sending import MANY, Letter, as_list, of_one_type, send, send_to_be_noted, waiting
from shop.messaging.subscriptions import only_sends, services_acting_on
from shop.messaging.tables import inbox_of, outbox_of

PATIENT = (
    2  # times that an event is left to a queue in which messages wait, before it is sent again all the same
)


class Stored(NamedTuple):
    """A row of an outbox that a relay has claimed."""

    id: int
    event_id: UUID
    claims: int
    type: str
    order_id: UUID
    number: str
    style: str
    payload: str

    @property
    def letter(self) -> Letter:
        return Letter(self.type, self.order_id, self.number, self.style, self.payload)


def relay_once(
    service: str,
    producer: Producer | None = None,
    *,
    held_back: float = 0.0,
    retries: bool = True,
    confirms: bool = True,
) -> int:
    """Send what is due of one service: events to their subscribers, failing deliveries to itself.

    ``held_back``: s for which events wait for others, so that they become sets. ``retries``: look for failing deliveries
    also where there were events. ``confirms``: else a relay runs that knows other subscribers, and nothing is taken for
    done here. Returns how many rows were claimed.

    Raises what the broker raises; the claimed rows come due again by themselves.
    """
    claimed = 0
    with current_app.producer_or_acquire(producer) as producer:
        if events := _claim_events(service, held_back):
            reach(Point.CLAIMED, events)
            _send_first(service, [row for row in events if row.claims == 1], producer)
            _send_again(service, [row for row in events if row.claims > 1], producer, confirms=confirms)
            reach(Point.RELAYED, events)
            claimed += len(events)
        if (retries or not events) and (failing := _claim_failing(service)):
            reach(Point.CLAIMED, failing)
            send(service, failing, producer, again=True)
            reach(Point.RELAYED, failing)
            claimed += len(failing)
    return claimed


def _claim_events(service: str, held_back: float) -> list[Stored]:
    """What was just placed is looked after by ``confirming`` from here on; what is sent again comes due again.

    What another version has published is left to its relay.
    """
    outbox, levers = outbox_of(service), settings.MESSAGING
    table = outbox._meta.db_table
    rows = execute(
        outbox,
        f"""
        UPDATE {table} SET claims = least(claims + 1, 32767), due_at = CASE
            WHEN claims = 0 THEN NULL
            ELSE now() + make_interval(secs => least(%s * power(2, least(claims, 16)), %s)) END
        WHERE id IN (
            SELECT id FROM {table} WHERE type = ANY(%s::varchar[]) AND style = ANY(%s::varchar[]) AND (
                due_at <= now() AND (SELECT min(due_at) FROM {table}) <= now() - make_interval(secs => %s)
                OR due_at > now() + make_interval(secs => %s)
            )
            ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING id, event_id, claims, type, order_id, number, style, payload::text
        """,
        levers["RESEND_AFTER"],
        levers["RESEND_CAP"],
        as_array(registry),
        as_array(settings.STYLES),
        held_back,
        furthest(),
        levers["CLAIM_SIZE"],
        fetch=True,
    )
    return sorted(Stored(*row) for row in rows)


def _claim_failing(service: str) -> list[Letter]:
    """What has failed and is due. Of a service whose provider is away just one, to find out whether it is back: any, as
    the provider may be away for one order alone.

    Comes due again by itself, should its message get lost; and again later, as it may only be waiting in the queue.
    """
    away = waited_for(service).get(service)
    if away and not away.probe_due:
        return []
    model, levers = inbox_of(service), settings.MESSAGING
    table = model._meta.db_table
    rows = execute(
        model,
        f"""
        UPDATE {table} SET claims = least(claims + 1, 32767),
            due_at = now() + make_interval(secs => least(%s * power(2, least(claims, 16)), %s))
        WHERE id IN (
            SELECT id FROM {table} WHERE state = 'failing'
                AND (due_at <= now() OR due_at > now() + make_interval(secs => %s))
            ORDER BY {"random()" if away else "due_at"} LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING id, type, order_id, number, '', payload::text
        """,
        levers["RESEND_AFTER"],
        levers["RESEND_CAP"],
        furthest(),
        1 if away else levers["CLAIM_SIZE"],
        fetch=True,
    )
    return [Letter(*row[1:]) for row in sorted(rows)]


def _send_first(service: str, rows: Sequence[Stored], producer: Producer) -> None:
    """To all who act on them. Who only takes note is served by ``gathering``.

    Where all that the service itself would do is to send, that is done here.
    """
    to_send: dict[str, list[Letter]] = defaultdict(list)
    own: list[Letter] = []
    for row in rows:
        for hearing in services_acting_on(row.type, row.style):
            here = hearing == service and only_sends(service, row.type, row.style)
            (own if here else to_send[hearing]).append(row.letter)
    for hearing, letters in to_send.items():
        send(hearing, letters, producer, first=True)
    for event_type, some in of_one_type(own):
        deliver(service, registry[event_type], as_list(some), first=True)


def _send_again(service: str, rows: Sequence[Stored], producer: Producer, *, confirms: bool) -> None:
    """To those who lack them; what nobody lacks is confirmed. What may still wait in a queue is given more time."""
    missing = lacking(rows)
    crowded = {name for name in settings.SERVICES if missing and waiting(name, producer) >= MANY}
    to_send: dict[tuple[str, bool], list[Letter]] = defaultdict(list)
    for row in rows:
        for address in {(sub.service, bool(sub.noted_in)) for sub in missing.get(row.event_id, ())}:
            if row.claims > PATIENT or address[0] not in crowded:
                to_send[address].append(row.letter)
    if confirms:
        confirm(service, [row.id for row in rows if row.event_id not in missing])
    for (hearing, only_notes), letters in to_send.items():
        (send_to_be_noted if only_notes else send)(hearing, letters, producer)


@when_back
def all_now() -> None:
    """Whatever is to be sent again later is due now: who lacked it may only have been out of reach."""
    for service in within_reach(settings.SERVICES):
        with only_holding_up(service):
            later = outbox_of(service)._default_manager.filter(due_at__gt=Now(), claims__gt=0)
            later.filter(type__in=[*registry]).update(due_at=Now())


def nudge(order_ids: Sequence[UUID]) -> None:
    """Send what somebody lacks of these orders' events again, now, in every service."""
    for service in within_reach(settings.SERVICES):
        with only_holding_up(service):
            rows = list(of_orders(service, order_ids))
            missing = lacking(rows)
            if due := [row.pk for row in rows if row.event_id in missing]:
                make_due(service, due)
                inbox.wake_relay(service)


def take_up_parked(order_ids: Sequence[UUID]) -> None:
    """Try deliveries for these orders again that wait for a person: the orders have ended, so there is nothing left to do
    but to find that out.
    """
    for service in within_reach(settings.SERVICES):
        table = inbox_of(service)
        with only_holding_up(service):
            rows = table._default_manager.filter(order_id__in=order_ids, state=table.State.PARKED)
            if ids := list(rows.values_list("pk", flat=True)):
                inbox.send_again(service, ids)


def take_up(order_ids: Sequence[UUID]) -> None:
    """Make all that is open for these orders due now, parked deliveries too: what a person does about one that waits."""
    nudge(order_ids)
    for service in settings.SERVICES:
        rows = inbox_of(service)._default_manager.filter(order_id__in=order_ids)
        inbox.send_again(service, list(rows.values_list("pk", flat=True)))
