"""Where an order waits for several things that happen side by side, the last of them takes it on."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from orders.models import Order
from shop.messaging.events import Event
from shop.messaging.rows import as_json, execute, unfolded

HEARD = f"""
    UPDATE {Order._meta.db_table} AS old SET heard = old.heard | new.heard
    FROM (SELECT * FROM {unfolded(Order, ("uuid", "heard"))} ORDER BY uuid) AS new
    WHERE old.uuid = new.uuid RETURNING old.uuid, old.heard
"""


def joined(events: Sequence[Event], *awaited: type[Event]) -> list[Event]:
    """Those of the events whose order has now heard all that it ``awaited``.

    What it has heard is kept in its row, so of two that come at the same moment the second finds the first; and an event
    that comes twice is heard once.
    """
    rows = [{"uuid": event.ref.id, "heard": 1 << awaited.index(type(event))} for event in events]
    heard: dict[UUID, int] = dict(execute(Order, HEARD, as_json(rows), fetch=True)) if rows else {}
    everything = (1 << len(awaited)) - 1
    return [event for event in events if heard.get(event.ref.id) == everything]
