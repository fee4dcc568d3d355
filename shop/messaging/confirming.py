"""Who has which event. An outbox is confirmed by a position that moves along it, some seconds behind: where nothing went
wrong nothing is written. What somebody lacks by then is marked as due, and the relay sends it again.

Ids are not given in the sequence of commits, so a position may only pass rows behind which nobody can still write: a
snapshot is remembered, and used once all transactions of its time are over (PostgreSQL: ``pg_snapshot_xmin``).
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from django.conf import settings

from shop.messaging import inbox, subscriptions
from shop.messaging.events import registry
from shop.messaging.reach import only_holding_up, within_reach
from shop.messaging.rows import as_array, execute, select
from shop.messaging.sending import crowded_services
from shop.messaging.subscriptions import Subscription
from shop.messaging.tables import confirmed_sequence, outbox_of

AT_ONCE = 5_000  # rows looked at in one pass; as long as there are more, the next pass follows at once
MOST_MARKS = 60


class Published(Protocol):
    """A row of an outbox."""

    @property
    def event_id(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def style(self) -> str: ...


class _Event(NamedTuple):
    id: int
    event_id: UUID
    type: str
    style: str


class _Mark(NamedTuple):
    """What a service's outbox was like at a moment: its highest id, and the first transaction that was yet to come."""

    at: float
    highest: int
    next_transaction: int


def lacking(events: Iterable[Published]) -> dict[UUID, list[Subscription]]:
    """The receivers that have not taken an event over, by event id; an event that all have is left out.

    A receiver whose database is away may have it or not: it counts as lacking it.
    """
    wanting = {event.event_id: subscriptions.of(event.type, style=event.style) for event in events}
    by_service: dict[str, list[UUID]] = defaultdict(list)
    by_receiver: dict[Subscription, list[UUID]] = defaultdict(list)
    have: set[tuple[UUID, str]] = set()
    for event_id, wanted in wanting.items():
        for service in {sub.service for sub in wanted if not sub.noted_in}:
            by_service[service].append(event_id)
        for sub in wanted:
            if sub.noted_in:
                by_receiver[sub].append(event_id)
    for sub, event_ids in by_receiver.items():
        noted: set[UUID] = set()
        with only_holding_up(sub.service):
            noted |= {event_id for (event_id,) in select(sub.noted_in, ("event_id",), "event_id", event_ids)}  # type: ignore[arg-type]
        have |= {(event_id, sub.receiver) for event_id in noted}
        by_service[sub.service] += (event_id for event_id in event_ids if event_id not in noted)
    for service in within_reach(by_service):
        with only_holding_up(service):
            have |= inbox.receivers_that_have(service, by_service[service])
    missing = {
        event_id: [sub for sub in wanted if (event_id, sub.receiver) not in have]
        for event_id, wanted in wanting.items()
    }
    return {event_id: subs for event_id, subs in missing.items() if subs}


def make_due(service: str, ids: Sequence[int]) -> None:
    """Have the relay see to these rows of an outbox now."""
    _set(service, ids, "due_at = now(), claims = greatest(claims, 1)")


def confirm(service: str, ids: Sequence[int]) -> None:
    """These rows of an outbox need no more seeing to."""
    _set(service, ids, "due_at = NULL")


def is_strange(event: Published) -> bool:
    """Whether another version of the shop has published it, so that nobody here can tell who hears it."""
    return event.type not in registry or event.style not in settings.STYLES


def _set(service: str, ids: Sequence[int], what: str) -> None:
    if ids:
        outbox = outbox_of(service)
        execute(
            outbox, f"UPDATE {outbox._meta.db_table} SET {what} WHERE id = ANY(%s::bigint[])", as_array(ids)
        )


def _first_queueing(events: Sequence[_Event], missing: dict[UUID, list[Subscription]]) -> int | None:
    """The first event that merely waits its turn: messages wait in the queue, and none behind it has been handled."""
    handled: dict[str, int] = {}
    for event in events:
        lackers = {sub.receiver for sub in missing.get(event.event_id, ())}
        for sub in subscriptions.of(event.type, style=event.style):
            if sub.receiver not in lackers:
                handled[sub.receiver] = event.id
    crowded = crowded_services()
    for event in events:
        for sub in missing.get(event.event_id, ()):
            if sub.service in crowded and event.id > handled.get(sub.receiver, 0):
                return event.id
    return None


class Confirming:
    """Moves the positions along, in one process; it remembers the snapshots.

    ``sent_until``: up to which id of a service's outbox events have been sent to those who only take note.
    """

    def __init__(self, sent_until: Callable[[str], int]) -> None:
        self._sent_until = sent_until
        self._marks: dict[str, deque[_Mark]] = defaultdict(lambda: deque(maxlen=MOST_MARKS))
        self._upto: dict[str, int] = defaultdict(int)

    def look(self, service: str) -> bool:
        """Confirm what is old enough, or mark it as due. Returns whether more is waiting; to be called every second."""
        outbox, sequence = outbox_of(service), confirmed_sequence(service)
        table = outbox._meta.db_table
        ((position, highest, next_transaction, oldest_open),) = execute(
            outbox,
            f"""
            SELECT (SELECT last_value FROM {sequence}), coalesce((SELECT max(id) FROM {table}), 0),
                pg_snapshot_xmax(now.snapshot)::text::bigint, pg_snapshot_xmin(now.snapshot)::text::bigint
            FROM (SELECT pg_current_snapshot() AS snapshot) AS now
            """,
            fetch=True,
        )
        upto, highest = self._settled(service, oldest_open), min(highest, self._sent_until(service))
        if highest > position:
            self._marks[service].append(_Mark(time.monotonic(), highest, next_transaction))
        if upto <= position:
            return False
        events = [
            _Event(*row)
            for row in execute(
                outbox,
                # What no relay has taken up yet stays ahead of the position: from then on it is looked after here.
                f"""
                SELECT id, event_id, type, style FROM {table} WHERE id > %s AND due_at IS NULL AND id <= least(%s,
                    (SELECT min(id) - 1 FROM {table} WHERE due_at IS NOT NULL AND claims = 0))
                ORDER BY id LIMIT %s
                """,
                position,
                upto,
                AT_ONCE,
                fetch=True,
            )
        ]
        missing = lacking(events)
        if missing and (queueing := _first_queueing(events, missing)):
            events = [event for event in events if event.id < queueing]
        strange = [event.id for event in events if is_strange(event)]
        make_due(service, [event.id for event in events if event.event_id in missing] + strange)
        if events:
            execute(outbox, f"SELECT setval('{sequence}', %s)", events[-1].id)
        return len(events) == AT_ONCE

    def _settled(self, service: str, oldest_open: int) -> int:
        """The highest id that is old enough, and behind which no transaction can still write.

        A transaction gets its number a moment after its first id, so that of the mark behind counts.
        """
        marks = self._marks[service]
        while len(marks) > 1 and marks[0].at <= time.monotonic() - settings.MESSAGING["RESEND_AFTER"]:
            if marks[1].next_transaction > oldest_open:
                break
            self._upto[service] = marks.popleft().highest
        return self._upto[service]
