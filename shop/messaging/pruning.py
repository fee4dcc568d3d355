"""Old rows: what is over is kept for a while as history (``settings.RETENTION``), then deleted, in small batches.

Ids grow with time, so a batch is read from the low end by primary key, and nothing is read where the oldest row is too
young. Events go first. What a service keeps to know an event by (its inbox, orders' timeline) goes only when no outbox
has an event of that order any more: what can be sent again must find that it was handled.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, models
from django.utils import timezone

from shop.messaging.rows import as_array, execute, select
from shop.messaging.tables import confirmed_sequence, inbox_of, incidents_of, outbox_of, services

logger = logging.getLogger(__name__)

LOOKS_EVERY = 60.0  # s between two looks at a table in which nothing is old
RETURNS_EVERY = 3600.0  # s between two looks at old rows that could not go yet
A_PASS_TAKES = 0.02  # s, about; batches grow and shrink to it
OF_NO_ORDER = "NULL::uuid"
AT_FIRST, AT_MOST = 10, 2_000  # rows in a batch
SHARE = 0.3  # of a relay's time, at the most


@dataclass(frozen=True)
class History:
    """What is deleted of a table, once it is old: ``keep`` names the days in ``settings.RETENTION``, ``at`` the column.

    In SQL, of a row ``old``: ``over``, what must be so beside, where ``asked.before`` is the time before which rows are
    old; and ``order``, the id of the order whose events must be gone first.
    """

    model: type[models.Model]
    keep: str
    at: str
    over: str = "true"
    order: str = OF_NO_ORDER
    longer: timedelta = timedelta(0)


_apps_own: list[History] = []


def kept_since(keep: str) -> datetime:
    """What is older than this may have been deleted. ``keep``: of ``settings.RETENTION``."""
    return timezone.now() - timedelta(days=settings.RETENTION[keep])


def prunes(history: History) -> None:
    """Have old rows of an app's own table deleted."""
    _apps_own.append(history)


def _histories() -> list[History]:
    outboxes = [
        History(
            outbox_of(service),
            "MESSAGES",
            "created_at",
            f"old.due_at IS NULL AND old.id <= (SELECT last_value FROM {confirmed_sequence(service)})",
        )
        for service in services()
    ]
    # A day longer than the events they answer, which are gone by then: else each would be looked at in vain.
    inboxes = [
        History(
            inbox_of(service),
            "MESSAGES",
            "received_at",
            "old.state = 'done'",
            "old.order_id",
            timedelta(days=1),
        )
        for service in services()
    ]
    incidents = [
        History(incidents_of(service), "MESSAGES", "opened_at", "old.closed_at IS NOT NULL")
        for service in services()
    ]
    return [*outboxes, *inboxes, *incidents, *_apps_own]


@dataclass
class _Progress:
    """How far a table has been looked at: ``after`` this id; ``stayed``: the first old row that could not go yet."""

    history: History
    due: float = 0.0
    after: int = 0
    size: int = AT_FIRST
    stayed: int | None = None
    returns: float = field(default_factory=lambda: time.monotonic() + RETURNS_EVERY)


class Pruning:
    """A batch at a time, with pauses, in the one relay that ``mine`` chooses. Several would be safe, but no faster."""

    def __init__(self, mine: Callable[[], bool] = lambda: True) -> None:
        self._mine = mine
        self._tables = [_Progress(history) for history in _histories()]
        self._rests_until = 0.0

    def patience(self) -> float:
        """For how many seconds there is nothing to do."""
        due = min(table.due for table in self._tables)
        return max(0.0, max(self._rests_until, due) - time.monotonic())

    def prune_some(self) -> int:
        """Delete a batch of the table whose turn it is, if it is time. Returns how many rows went."""
        began = time.monotonic()
        due = [table for table in self._tables if table.due <= began]
        if not due or began < self._rests_until:
            return 0
        # Events first: until they are gone, what they are known by can't go.
        table = min(due, key=lambda table: (table.history.order != OF_NO_ORDER, table.due))
        if not self._mine():
            self._rests_until = began + LOOKS_EVERY
            return 0
        deleted = 0
        try:
            deleted = _prune(table)
        except DatabaseError as error:  # relaying goes on; it notices by itself when the database is away
            logger.warning("Old rows of %s stay for now: %s", table.history.model._meta.db_table, error)
            table.due = began + LOOKS_EVERY
        took = time.monotonic() - began
        if took > A_PASS_TAKES:
            table.size = max(AT_FIRST, table.size // 2)
        self._rests_until = began + took / SHARE
        return deleted


def _prune(table: _Progress) -> int:
    """A batch of one table. When it has no more old rows, it is left alone for a while."""
    history, now = table.history, time.monotonic()
    before = kept_since(history.keep) - history.longer
    rows = _oldest(history, before, table)
    old = [row for row in rows if row[1]]
    over = _told_no_more([(id, order) for id, _, over, order in old if over])
    deleted = _delete(history, over)
    if len(over) < len(old) and table.stayed is None:
        table.stayed = min({id for id, *_ in old}.difference(over))
    # Behind the first young row there may be old ones: a transaction that was slow. They wait for it.
    young = next((id for id, is_old, *_ in rows if not is_old), None)
    if old:
        table.after = max((id for id, *_ in old if young is None or id < young), default=table.after)
    if len(old) == table.size:
        table.due, table.size = now, min(AT_MOST, 2 * table.size)
    else:
        table.due, table.size = now + LOOKS_EVERY, AT_FIRST
        if table.stayed is not None and now >= table.returns:
            table.after, table.stayed, table.returns = table.stayed - 1, None, now + RETURNS_EVERY
    return deleted


def _oldest(
    history: History, before: datetime, table: _Progress
) -> Sequence[tuple[int, bool, bool, UUID | None]]:
    """Of the lowest rows: id, whether it is old, whether it is over, and the order whose events must be gone."""
    found: list[Any] = execute(
        history.model,
        f"""
        SELECT old.id, old.{history.at} < asked.before, {history.over}, {history.order}
        FROM (VALUES (%s::timestamptz)) AS asked (before), LATERAL (
            SELECT * FROM {history.model._meta.db_table} WHERE id > %s ORDER BY id LIMIT %s
        ) AS old ORDER BY old.id
        """,
        before,
        table.after,
        table.size,
        fetch=True,
    )
    return found


def _told_no_more(rows: Sequence[tuple[int, UUID | None]]) -> list[int]:
    """Those whose order has no event in any outbox, by which it could be told once more; and those of no order."""
    orders = {order for _, order in rows if order}
    told = {
        order
        for service in services()
        for (order,) in select(outbox_of(service), ("order_id",), "order_id", orders)
    }
    return [id for id, order in rows if order not in told]


def _delete(history: History, ids: Sequence[int]) -> int:
    """What is over stays over: it need not be asked again."""
    if not ids:
        return 0
    table = history.model._meta.db_table
    sql = f"""
        WITH gone AS (DELETE FROM {table} WHERE id = ANY(%s::bigint[]) RETURNING 1) SELECT count(*) FROM gone
        """
    ((count,),) = execute(history.model, sql, as_array(ids), fetch=True)
    return int(count)
