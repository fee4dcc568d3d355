"""A Celery consumer that no message can end: what nothing can be made of is kept as a dead letter."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from celery.utils.log import get_logger
from celery.worker.consumer import Consumer
from django.db import DatabaseError
from redis.exceptions import RedisError

from shop.messaging import dead_letters, doubles
from shop.messaging.heartbeat import EVERY, beat, waiting
from shop.messaging.outcomes import in_a_word
from shop.messaging.tasks import service_of

logger = get_logger(__name__)

TRIES_AGAIN = {
    "interval_start": 0.5,
    "interval_step": 0.5,
    "interval_max": 2.0,
}  # s, at a broker that is away
Body = tuple[list[msgspec.Raw], dict[str, msgspec.Raw], dict[str, msgspec.Raw] | None]  # Celery's protocol 2


class GuardedConsumer(Consumer):
    """Celery itself ends where a body is not the list it expects, and is then given the same message again, for ever."""

    connection_errors: tuple[type[Exception], ...]  # the broker's

    class Blueprint(Consumer.Blueprint):  # type: ignore[valid-type,misc]
        # For ETAs, which nobody uses here, Celery would have 28 more queues and exchanges beside quorum queues.
        default_steps = [
            step for step in Consumer.Blueprint.default_steps if not step.endswith(":DelayedDelivery")
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timer.call_repeatedly(EVERY / 2, beat)  # idle, too, it goes round

    def connect(self) -> Any:
        with waiting():
            return super().connect()

    def ensure_connected(self, conn: Any) -> Any:
        """Celery would try ever more rarely, until each 30 s, and has no setting for it."""
        conn.ensure_connection = partial(conn.ensure_connection, **TRIES_AGAIN)
        return super().ensure_connected(conn)

    def call_soon_ack(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Acknowledge now. The event loop would first wait until something else happens; but where a worker is given one
        message at a time, nothing does before the last one is acknowledged.
        """
        p(*args, **kwargs)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        handle = super().create_task_handler(*args, **kwargs)

        def on_task_received(message: Any) -> None:
            if reason := self._objection(message):
                self._keep(message, reason)
                return
            if doubles.is_copy(str(message.headers.get("id")), message.body):
                message.ack_log_error(logger, self.connection_errors)
                return
            try:
                handle(message)
            except Exception as error:
                # Of kombu's errors of a lost connection a KeyError is one, too; here it is what a message lacks.
                if isinstance(error, self.connection_errors) and not isinstance(error, KeyError):
                    raise
                if isinstance(error, RedisError):  # where chords join: that is not the message's fault
                    logger.error("A chord can't be joined, its orders are played on later: %s", error)
                    message.ack_log_error(logger, self.connection_errors)
                    return
                self._keep(message, in_a_word(error))

        return on_task_received

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        self._keep(message, in_a_word(exc))

    def on_invalid_task(self, body: object, message: Any, exc: Exception) -> None:
        self._keep(message, in_a_word(exc))

    def on_unknown_message(self, body: object, message: Any) -> None:
        self._keep(message, "It is no task.")

    def on_unknown_task(self, body: object, message: Any, exc: Exception) -> None:
        self._keep(message, "No task has this name here.")

    def _objection(self, message: Any) -> str:
        """What speaks against a message before Celery sees it; empty: nothing does."""
        body = message.body or b""
        if len(body) > dead_letters.LARGEST:
            return f"It has {len(body):,} bytes; {dead_letters.LARGEST:,} are allowed."
        if not isinstance(message.headers, dict) or not isinstance(message.headers.get("task"), str):
            return "It names no task."
        if message.headers["task"] not in self.app.tasks:
            return "No task has this name here."
        if service_of(message.headers["task"]) not in (self._service, "celery"):
            return "It is another service's."
        if message.content_type != "application/json":
            return "It is no JSON."
        try:
            msgspec.json.decode(body, type=Body)
        except (msgspec.DecodeError, UnicodeError) as error:
            return f"Its body is none of a task: {error}"
        except RecursionError:
            return "Its body is nested too deeply."
        return ""

    def _keep(self, message: Any, reason: str) -> None:
        try:
            dead_letters.keep_message(self._service, message, reason)
        except DatabaseError as error:  # the queue keeps it meanwhile
            logger.error(
                "A message nothing can be made of goes back, as it can't be kept: %s", in_a_word(error)
            )
            time.sleep(1.0)
            message.reject_log_error(logger, self.connection_errors, requeue=True)
        else:
            message.ack_log_error(logger, self.connection_errors)

    @property
    def _service(self) -> str:
        """Whose worker this is: it takes messages from one queue, which is called so."""
        return str(next(iter(self.app.amqp.queues.consume_from)))
