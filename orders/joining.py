"""Where an order waits for several things that happen side by side, the last of them takes it on."""

from __future__ import annotations

from collections.abc import Sequence

from orders.models import Order
from shop.messaging.events import Event
from shop.messaging.rows import as_json, execute, unfolded

NOT_YET = f"""
    UPDATE {Order._meta.db_table} AS old SET heard = old.heard | new.heard
    FROM (SELECT * FROM {unfolded(Order, ("uuid", "heard"))} ORDER BY uuid) AS new
    WHERE old.uuid = new.uuid AND old.heard | new.heard <> %s RETURNING old.uuid
"""


def joined(events: Sequence[Event], *awaited: type[Event]) -> list[Event]:
    """Those of the events whose order has now heard all that it ``awaited``: they came last.

    What came before is kept in the order's row. Of two that come at the same moment one waits for the other's row, and
    then finds itself the last; one that comes twice is heard once.
    """
    if not events:
        return []
    rows = [{"uuid": event.ref.id, "heard": 1 << awaited.index(type(event))} for event in events]
    everything = (1 << len(awaited)) - 1
    still_waiting = {id for (id,) in execute(Order, NOT_YET, as_json(rows), everything, fetch=True)}
    return [event for event in events if event.ref.id not in still_waiting]
