"""Messages nothing can be made of: unknown tasks, malformed and oversized ones, from strangers or another version.

Each is kept in the service's database, for a person to see; the worker goes on. What the shop itself had to say stands in
an outbox all the same, and is sent again from there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, cast

from celery import current_app
from django.apps import apps
from django.conf import settings

from shop.messaging.models import AbstractDeadLetter
from shop.messaging.rows import execute

logger = logging.getLogger(__name__)

LARGEST = 4 * 1024 * 1024  # bytes of a message; a full set of events has some 0.3 million
KEPT_OF_ONE = 64 * 1024  # characters
KEPT = 1_000  # of a service; then the oldest goes, as the log says

Message = Mapping[str, Any]  # headers, properties, content-type and -encoding, and the body as text


class Unreadable(Exception):
    """A message says nothing that this shop can understand."""


def refuse_too_many(count: int) -> None:
    """A set is never so large: each order of it is worked on, and all wait for the last.

    Raises:
        Unreadable: this one is larger than any that this shop, or one that is set otherwise, would send.
    """
    most = 10 * max(200, int(settings.MESSAGING["SET_SIZE"]))
    if count > most:
        raise Unreadable(f"It is about {count:,} orders or events; {most:,} are allowed.")


def dead_letters_of(service: str) -> type[AbstractDeadLetter]:
    return cast(type[AbstractDeadLetter], apps.get_model(service, "DeadLetter"))


def keep_message(service: str, message: Any, reason: str) -> None:
    """Keep a message as kombu has read it. Raises django.db.Error: it is not kept."""
    headers = message.headers if isinstance(message.headers, dict) else {}
    body = message.body
    kept = {
        # Not what RabbitMQ has written on its way: sent again, it would be taken for what has come back already.
        "headers": {name: value for name, value in headers.items() if not str(name).startswith("x-")},
        "content-type": message.content_type,
        "content-encoding": message.content_encoding,
        "body": body.decode(errors="replace") if isinstance(body, bytes) else str(body),
    }
    keep(service, kept, reason, task=str(headers.get("task", "")))


def keep(service: str, message: Message | str, reason: str, task: str = "") -> None:
    """Keep a message that came in a service's queue. Raises django.db.Error: it is not kept."""
    model = dead_letters_of(service)
    text, task, reason = _storable(_as_text(message)), _storable(task), _storable(reason)
    execute(
        model,
        f"""
        INSERT INTO {model._meta.db_table} AS known (digest, task, reason, message, is_whole, times)
        VALUES (%s, %s, %s, %s, %s, 1) ON CONFLICT (digest) DO UPDATE
        SET times = least(known.times::bigint + 1, 2147483647), last_at = now(), reason = excluded.reason
        """,
        sha256(f"{task} {_lasting(message)}".encode(errors="replace")).hexdigest(),
        task[:200],
        reason[:300],
        text[:KEPT_OF_ONE],
        len(text) <= KEPT_OF_ONE and not isinstance(message, str),
    )
    gone = execute(
        model,
        f"DELETE FROM {model._meta.db_table} WHERE id IN "
        f"(SELECT id FROM {model._meta.db_table} ORDER BY last_at DESC OFFSET %s) RETURNING id",
        KEPT,
        fetch=True,
    )
    if gone:
        logger.error("%s has more than %d dead letters; the %d oldest went.", service, KEPT, len(gone))
    logger.error(
        "%s can't do anything with a message, and keeps it: %s (%s)",
        service,
        reason if reason.isprintable() else ascii(reason),
        (task[:200] if task.isprintable() else ascii(task[:200])) or "no task",
    )


def send_again(service: str, ids: Sequence[int]) -> int:
    """Put these messages into the service's queue again, say after an upgrade that knows their task.

    Returns how many; those that were not kept whole stay where they are. Raises what the broker raises.
    """
    rows = dead_letters_of(service)._default_manager.filter(pk__in=ids, is_whole=True)
    sent = 0
    with current_app.producer_or_acquire(None) as producer:
        for row in rows:
            message = json.loads(row.message)
            producer.publish(
                message["body"],
                exchange="",
                routing_key=service,
                headers=message["headers"],
                content_type=message["content-type"],
                content_encoding=message["content-encoding"],
                delivery_mode=2,
                mandatory=True,
                retry=True,
                retry_policy=current_app.conf.task_publish_retry_policy,
            )
            row.delete()
            sent += 1
    return sent


def _as_text(message: Message | str) -> str:
    if isinstance(message, str):
        return message
    try:
        return json.dumps(message, default=repr)
    except (
        TypeError,
        ValueError,
        RecursionError,
    ):  # headers that no JSON has: the body is what says something
        return json.dumps({**message, "headers": {}}, default=repr)


def _storable(text: str) -> str:
    """As PostgreSQL takes it."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="backslashreplace").decode()


def _lasting(message: Message | str) -> str:
    """What is the same when the same is sent again: the body, without its id."""
    return message if isinstance(message, str) else str(message.get("body"))
