"""What becomes of a message, and of its endpoint, after an attempt."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db import transaction

from orders.webhooks.calling import AWAY, Answer
from orders.webhooks.messages import Message
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.base.databases import alias_of
from shop.messaging.rows import as_array, as_json, execute, now_in

# In times of the first wait, 5 s: 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, 4 h, and then 6 h, over three days in all.
WAITS = (1, 6, 24, 120, 360, 720, 1440, 2880, *(11 * (4320,)))
ATTEMPTS = len(WAITS) + 1
LONGEST_REST = 60  # times the first wait, 5 min: so soon after it is back an endpoint is found again
GIVE_UP_AFTER = timedelta(days=3)  # of failures alone
JITTER = 0.1
DOWN = 2  # failures in a row: that was more than a slip

State = WebhookEndpoint.State


class Attempt(msgspec.Struct, frozen=True):
    """``answer``: None if it was not made, after all."""

    message: Message
    answer: Answer | None


RECORD = f"""
    UPDATE {WebhookDelivery._meta.db_table} AS old SET
        state = CASE WHEN old.state = 'delivered' THEN old.state ELSE new.state END,
        due_at = CASE WHEN new.state = 'waiting' THEN now() + make_interval(secs => new.wait) END,
        attempts = old.attempts - CASE WHEN new.made THEN 0 ELSE 1 END,
        tried_at = CASE WHEN new.made THEN now() ELSE old.tried_at END,
        status_code = CASE WHEN new.made THEN new.status ELSE old.status_code END,
        trouble = CASE WHEN new.made THEN new.trouble ELSE old.trouble END
    FROM json_to_recordset(%s) AS new (
        id bigint, attempt integer, made boolean, state text, wait double precision, status smallint, trouble text
    )
    WHERE old.id = new.id AND old.state = 'sending' AND (old.attempts = new.attempt OR new.state = 'delivered')
"""

# What nobody was there for, and nothing that was there and said no.
SEND_NOW = f"""
    UPDATE {WebhookDelivery._meta.db_table} SET due_at = now()
    WHERE endpoint_id = ANY(%s::bigint[]) AND state = 'waiting' AND due_at > now()
    AND (status_code IS NULL OR status_code = ANY(%s::smallint[]))
"""


def record(attempts: Sequence[Attempt]) -> None:
    """Write down what came of these attempts, in one transaction.

    A claim that has ended meanwhile is another sender's; of its attempt only that the message was taken is kept.
    """
    with transaction.atomic(using=alias_of(WebhookDelivery._meta.app_label)):
        now = now_in(WebhookDelivery)
        wanted = {attempt.message.endpoint for attempt in attempts}
        locked = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
        endpoints = {endpoint.pk: endpoint for endpoint in locked}
        back = []
        for attempt in attempts:
            endpoint = endpoints.get(attempt.message.endpoint)
            if endpoint and attempt.answer and _tell(endpoint, attempt.answer, now):
                back.append(endpoint.pk)
        for endpoint in endpoints.values():
            endpoint.save(update_fields=["state", "reason", "failures", "failing_since", "resting_until"])
        execute(WebhookDelivery, RECORD, as_json([_row(attempt) for attempt in attempts]))
        if back:
            execute(WebhookDelivery, SEND_NOW, as_array(back), as_array(int(status) for status in AWAY))


def _row(attempt: Attempt) -> dict[str, object]:
    answer, message = attempt.answer, attempt.message
    common = {"id": message.delivery, "attempt": message.attempt, "made": answer is not None}
    if answer is None:
        return {**common, "state": "waiting", "wait": 0, "status": None, "trouble": ""}
    status, over = answer.status or None, message.attempt >= ATTEMPTS
    state = "delivered" if answer.taken else "failed" if over else "waiting"
    wait = max(_wait(message.attempt), min(answer.retry_after, _longest()))
    return {**common, "state": state, "wait": wait, "status": status, "trouble": answer.trouble[:200]}


def _wait(attempt: int) -> float:
    """Seconds until the next attempt. Not quite the same for all, so that they don't come all at once."""
    times = WAITS[min(attempt, len(WAITS)) - 1]
    return float(settings.WEBHOOKS["RETRY_FIRST"] * times * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 (jitter)


def _longest() -> float:
    return float(settings.WEBHOOKS["RETRY_FIRST"] * max(WAITS))


def _tell(endpoint: WebhookEndpoint, answer: Answer, now: datetime) -> bool:
    """Note an answer on its endpoint. Returns whether somebody is there again where nobody was."""
    if answer.taken:
        was_down = endpoint.failures >= DOWN
        endpoint.failures, endpoint.failing_since, endpoint.resting_until = 0, None, None
        return was_down
    endpoint.failing_since = endpoint.failing_since or now
    if answer.nobody_there and not (endpoint.resting_until and endpoint.resting_until > now):
        endpoint.failures += 1
        times = min(2 ** min(endpoint.failures - 1, 10), LONGEST_REST)
        rest = max(settings.WEBHOOKS["RETRY_FIRST"] * times, min(answer.retry_after, _longest()))
        endpoint.resting_until = now + timedelta(seconds=rest)
    if endpoint.state == State.ON and (reason := _why_disabled(endpoint, answer, now)):
        endpoint.state, endpoint.reason = State.DISABLED, reason
    return False


def _why_disabled(endpoint: WebhookEndpoint, answer: Answer, now: datetime) -> str:
    if answer.gone:
        return f"It {answer.trouble}."
    since = endpoint.failing_since
    if since and now - since > GIVE_UP_AFTER:
        return f"Nothing was taken since {since:%d %B %Y %H:%M} UTC; the last time it {answer.trouble}."
    return ""
