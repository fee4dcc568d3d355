"""A message is made where a change is noted, in the same transaction: so none is lost, and none is of nothing."""

from __future__ import annotations

from uuid import UUID

from orders.models import Order
from orders.webhooks.kinds import KIND_OF
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.messaging.events import Event
from shop.messaging.rows import Row, as_json, execute

# Of an order: whether its customer wants to be told. Asked with the order itself, so that others pay no statement.
WANTED = f"""EXISTS (
    SELECT FROM {WebhookEndpoint._meta.db_table} AS webhook
    WHERE webhook.customer_id = o.customer_id AND webhook.state = 'on'
)"""

# The orders are locked by who notes, so nobody else counts this order's messages at the same time.
INSERT = f"""
    INSERT INTO {WebhookDelivery._meta.db_table} (
        uuid, endpoint_id, kind, order_id, number, status, sequence,
        happened_at, state, attempts, due_at, trouble, created_at
    )
    SELECT gen_random_uuid(), webhook.id, new.kind, new.order_id, new.number, new.status,
        row_number() OVER (PARTITION BY webhook.id, new.order_id ORDER BY new.place)
        + (SELECT count(*) FROM {WebhookDelivery._meta.db_table} AS told
           WHERE told.endpoint_id = webhook.id AND told.order_id = new.order_id),
        new.happened_at, 'waiting', 0, now(), '', now()
    FROM json_to_recordset(%s) AS new (
        place integer, order_id uuid, number text, kind text, status text, happened_at timestamptz
    )
    JOIN {Order._meta.db_table} AS o ON o.uuid = new.order_id
    JOIN {WebhookEndpoint._meta.db_table} AS webhook ON webhook.customer_id = o.customer_id
        AND webhook.state = 'on' AND (webhook.kinds = '{{}}' OR new.kind = ANY(webhook.kinds))
    ORDER BY new.place
    ON CONFLICT DO NOTHING
"""


class Changes:
    """Those of the orders in one transaction, in the sequence in which they are noted."""

    def __init__(self) -> None:
        self._rows: dict[tuple[UUID, str], Row] = {}

    def add(self, event: Event, status: str) -> None:
        """``status``: the order's, now that the event is noted. What is no change in a customer's eyes is left out."""
        if kind := KIND_OF.get(type(event)):
            row = {
                "place": len(self._rows),
                "order_id": event.ref.id,
                "number": event.ref.number,
                "kind": kind,
                "status": status,
                "happened_at": event.at,
            }
            self._rows.setdefault((event.ref.id, kind), row)

    def store(self) -> None:
        """A message of each to each endpoint that wants it. What was told before is not told again."""
        if self._rows:
            execute(WebhookDelivery, INSERT, as_json([*self._rows.values()]))
