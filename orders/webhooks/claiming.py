"""Which messages are to be sent now. Any number of senders may ask: none gets what another one has.

A claim holds for a while. Who dies with one has it end by itself, and the message is sent again under the same id.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings

from orders.webhooks.messages import Message
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.messaging.rows import as_array, execute

MOST_OF_ONE = 100  # messages to one endpoint, claimed at once
CALLS_A_CLAIM = 5  # a lane (sender.py) begins no call later than after the time of so many
CLAIM_HOLDS = CALLS_A_CLAIM + 2  # times as long as a call may take: so it outlives the lane's last call

# Of an endpoint where nobody was there of late, one message finds out whether somebody is again.
CLAIM = f"""
    WITH due AS MATERIALIZED (
        SELECT webhook.id AS endpoint, of_one.id
        FROM (
            SELECT id, failures FROM {WebhookEndpoint._meta.db_table} AS whose
            WHERE state = 'on' AND (resting_until IS NULL OR resting_until <= now()) AND id <> ALL(%s::bigint[])
            AND EXISTS (
                SELECT FROM {WebhookDelivery._meta.db_table} AS waits WHERE waits.endpoint_id = whose.id
                AND waits.state IN ('waiting', 'sending') AND waits.due_at <= now()
            )
            ORDER BY failures, random() LIMIT %s
        ) AS webhook,
        LATERAL (
            SELECT id FROM {WebhookDelivery._meta.db_table} AS waits
            WHERE waits.endpoint_id = webhook.id AND waits.state IN ('waiting', 'sending') AND waits.due_at <= now()
            ORDER BY waits.due_at, waits.id
            LIMIT CASE WHEN webhook.failures = 0 THEN %s ELSE 1 END
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS of_one
    )
    UPDATE {WebhookDelivery._meta.db_table} AS message
    SET state = 'sending', attempts = attempts + 1, due_at = now() + make_interval(secs => %s)
    FROM due JOIN {WebhookEndpoint._meta.db_table} AS webhook ON webhook.id = due.endpoint
    WHERE message.id = due.id
    RETURNING message.id, webhook.id, message.attempts, message.uuid, webhook.url, webhook.secret,
        ARRAY(
            SELECT old ->> 'secret' FROM jsonb_array_elements(webhook.old_secrets) AS old
            WHERE (old ->> 'until')::timestamptz > now()
        ),
        message.kind, message.order_id, message.number, message.status, message.sequence, message.happened_at
"""


def claim(endpoints: int, busy: Collection[int]) -> list[Message]:
    """What is due of so many endpoints, the oldest first; not of those that are ``busy``."""
    holds = CLAIM_HOLDS * settings.WEBHOOKS["ANSWER_WITHIN"]
    rows = execute(WebhookDelivery, CLAIM, as_array(busy), endpoints, MOST_OF_ONE, holds, fetch=True)
    return sorted((_message(row) for row in rows), key=lambda message: message.delivery)


def _message(row: tuple[Any, ...]) -> Message:
    delivery, endpoint, attempt, uuid, url, secret, old, *rest = row
    keys = (secret, *old)
    name = WebhookDelivery(uuid=uuid).message_id
    return Message(delivery, endpoint, attempt, name, url, keys, *rest)
