"""How long messages wait that could be sent: who sends them may be missing."""

from __future__ import annotations

from datetime import timedelta

from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.messaging.rows import execute

# One look into an index for each endpoint, however many messages wait.
OLDEST = f"""
    SELECT max(now() - oldest.due_at)
    FROM {WebhookEndpoint._meta.db_table} AS webhook, LATERAL (
        SELECT waits.due_at FROM {WebhookDelivery._meta.db_table} AS waits
        WHERE waits.endpoint_id = webhook.id AND waits.state IN ('waiting', 'sending') AND waits.due_at <= now()
        ORDER BY waits.due_at LIMIT 1
    ) AS oldest
    WHERE webhook.state = 'on' AND (webhook.resting_until IS NULL OR webhook.resting_until <= now())
"""


def overdue() -> timedelta:
    """Since when the oldest of them could have been sent. Endpoints that are left alone for now don't count."""
    ((waits,),) = execute(WebhookDelivery, OLDEST, fetch=True)
    return waits or timedelta(0)
