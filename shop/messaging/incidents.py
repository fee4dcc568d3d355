"""Silent edges: an event that somebody should have reacted to by now, and of which he has neither handled nor failed it.

Each is an incident: which order, which event, whose reaction, since when. It closes by itself once there is a reaction.
What waits its turn (``queues``) is none; nor is what failed, or waits for a provider: that the inbox tells. Nothing is
done about an incident: the event is sent again anyway. It is how a person learns of what nobody complains about.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from shop.messaging.confirming import lacking
from shop.messaging.ids import time_of
from shop.messaging.models import AbstractIncident
from shop.messaging.outbox import confirmed_until
from shop.messaging.queues import Queues, gets_on
from shop.messaging.reach import by_database, only_holding_up
from shop.messaging.reactions import expected_within, shortest
from shop.messaging.rows import Row, execute, insert
from shop.messaging.tables import incidents_of, outbox_of

logger = logging.getLogger(__name__)

LOOKED_AT = 2_000  # events of a service, the oldest that are not confirmed
OPEN_AT_MOST = 1_000  # of a service; more would tell nobody more

# What was sent, or is looked after, and is not confirmed; what no relay has come to yet waits at the entrance.
UNCONFIRMED = """
    SELECT id, event_id, type, style, order_id, number, created_at, extract(epoch FROM now() - created_at) FROM (
        (SELECT * FROM {table} WHERE id > %s AND due_at IS NULL ORDER BY id LIMIT %s)
        UNION ALL
        (SELECT * FROM {table} WHERE due_at IS NOT NULL AND claims > 0 ORDER BY due_at LIMIT %s)
    ) AS sent WHERE created_at < now() - make_interval(secs => %s)
    """


class _Event(NamedTuple):
    id: int
    event_id: UUID
    type: str
    style: str
    order_id: UUID
    number: str
    at: datetime
    age: float


def open_incidents(service: str) -> QuerySet[AbstractIncident]:
    """Of what this service has published, or commanded."""
    return incidents_of(service)._default_manager.filter(closed_at=None)


def orders_with_incidents() -> set[UUID]:
    """The orders of which an edge is silent. Services that share a database are asked at once."""
    found: set[UUID] = set()
    for first, *others in by_database(settings.SERVICES):
        with only_holding_up(first):
            of_each = [open_incidents(name).order_by().values_list("order_id") for name in (first, *others)]
            found |= {order_id for (order_id,) in of_each[0].union(*of_each[1:])}
    return found


def look_for_silence(service: str, gathered_until: int) -> None:
    """Open and close the incidents of what a service has published. Raises what database and broker raise.

    ``gathered_until``: what is behind this id of its outbox nobody has been asked to take note of yet.
    """
    gets_on(service)  # so that it is known since when it does not
    _close_answered(service)
    outbox = outbox_of(service)
    rows = execute(
        outbox,
        UNCONFIRMED.format(table=outbox._meta.db_table),
        confirmed_until(service),
        LOOKED_AT,
        LOOKED_AT,
        shortest(),
        fetch=True,
    )
    events = [_Event(*row) for row in rows]
    missing = lacking(events)
    silent = [
        (event, sub)
        for event in events
        for sub in missing.get(event.event_id, ())
        if event.age > sub.within and not (sub.noted_in and event.id > gathered_until)
    ]
    queues = Queues({sub.service for _, sub in silent})
    begin(
        service,
        [
            {
                "event_id": event.event_id,
                "receiver": sub.receiver,
                "type": event.type,
                "style": event.style,
                "order_id": event.order_id,
                "number": event.number,
                "since": event.at,
                "within": sub.within,
            }
            for event, sub in silent
            if not queues.turn(sub.service, sub.receiver).is_still_to_come(
                time_of(event.event_id), event.age, sub.within
            )
        ],
    )


def begin(service: str, rows: Sequence[Row]) -> None:
    """Open these incidents, but for those that are known."""
    room = OPEN_AT_MOST - open_incidents(service).count() if rows else 0
    if room <= 0:
        return
    model = incidents_of(service)
    known = {
        *model._default_manager.filter(event_id__in=[row["event_id"] for row in rows]).values_list(
            "event_id", "receiver"
        )
    }
    fresh = [row for row in rows if (row["event_id"], row["receiver"]) not in known][:room]
    fresh.sort(key=lambda row: (row["event_id"], row["receiver"]))
    made = insert(model, fresh, once=True, returning=("type", "receiver", "number"))
    first: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for event, receiver, number in made:
        first.setdefault((event, receiver), number)
        counts[event, receiver] += 1
    for (event, receiver), count in counts.items():
        logger.error(
            "%s has not reacted to %s of %s%s within %g s.",
            receiver,
            event,
            first[event, receiver],
            f" and {count - 1} more" if count > 1 else "",
            expected_within(receiver),
        )


def close(service: str, ids: Sequence[int]) -> None:
    """These edges are silent no more."""
    if ids:
        open_incidents(service).filter(pk__in=ids).update(closed_at=Now())


def _close_answered(service: str) -> None:
    rows: list[Any] = list(open_incidents(service).filter(commanded=False)[:OPEN_AT_MOST])
    missing = lacking(rows)
    silent = {(event_id, sub.receiver) for event_id, subs in missing.items() for sub in subs}
    close(service, [row.pk for row in rows if (row.event_id, row.receiver) not in silent])
