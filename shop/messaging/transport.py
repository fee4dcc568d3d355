"""Redis as a broker that no stranger's entry can end: what is no message of kombu's is kept as a dead letter.

Redis takes anything into a list. kombu expects JSON of its own shape there, and ends the worker where it finds another.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from celery.utils.log import get_logger
from django.conf import settings
from django.db import DatabaseError
from kombu.transport import redis
from kombu.utils.encoding import bytes_to_str
from kombu.utils.uuid import uuid
from redis.exceptions import ResponseError

logger = get_logger(__name__)

T = TypeVar("T")
Kinds = Mapping[str, str]  # what each key is to be, in Redis's word

WRONG_TYPE = "WRONGTYPE"  # so begins what Redis says to it


class Channel(redis.Channel):
    """Where a queue is to be and something else is, that is set aside under another name."""

    # What the stubs leave out.
    keyprefix_binding_permanent: str
    keyprefix_binding_deadlines: str
    _q_for_pri: Callable[[str, int], str]

    def _put(self, queue: str, message: Any, **options: Any) -> None:
        put = super()._put
        self._making_room(self._lists([queue]), lambda: put(queue, message, **options))

    def _size(self, queue: str) -> int:
        size = super()._size
        return int(self._making_room(self._lists([queue]), lambda: size(queue)))

    def _queue_bind(self, exchange: str, *about: Any) -> None:
        bind = super()._queue_bind  # type: ignore[misc]  # the stubs leave it out
        self._making_room(self._bindings(exchange), lambda: bind(exchange, *about))

    def get_table(self, exchange: str) -> Any:
        table = super().get_table
        return self._making_room(self._bindings(exchange), lambda: table(exchange))

    def _lists(self, queues: Iterable[str]) -> Kinds:
        steps = self.priority_steps
        return {self._q_for_pri(queue, step): "list" for queue in queues for step in steps}

    def _bindings(self, exchange: str) -> Kinds:
        sets: Kinds = dict.fromkeys(
            [self.keyprefix_queue % exchange, self.keyprefix_binding_permanent % exchange],
            "set",
        )
        return {**sets, self.keyprefix_binding_deadlines: "zset"}

    def _making_room(self, kinds: Kinds, do: Callable[[], T]) -> T:
        try:
            return do()
        except ResponseError as error:
            if WRONG_TYPE not in str(error):
                raise
        self._set_aside(kinds)
        return do()

    def _set_aside(self, kinds: Kinds) -> None:
        """What stands under these keys and is not of that kind gets another name, for a person to see."""
        with self.conn_or_acquire() as client:
            for short, kind in kinds.items():
                key = f"{self.global_keyprefix}{short}"
                found = bytes_to_str(client.execute_command("TYPE", key))
                if found not in (kind, "none"):
                    name = f"{key}:set-aside:{uuid()}"
                    with suppress(ResponseError):  # somebody else was faster
                        client.execute_command("RENAME", key, name)
                        logger.error(
                            "%s was a %s, and is to be a %s: it is now called %s.", key, found, kind, name
                        )

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # the stubs leave it out
        except ResponseError as error:
            if WRONG_TYPE not in str(error):
                raise
            self._set_aside(self._lists(self.active_queues))
        except json.JSONDecodeError as error:
            self.keep(error.doc)
        except UnicodeDecodeError as error:
            self.keep(error.object.decode(errors="replace"))
        return True

    def keep(self, text: str) -> None:
        from shop.messaging import dead_letters  # Django's models may come later than a connection

        service = next(iter(set(self.active_queues) & set(settings.SERVICES)))  # a worker has one
        try:
            dead_letters.keep(service, text, "It is no message.")
        except DatabaseError as error:  # the queue keeps it meanwhile
            logger.error("What is no message goes back, as it can't be kept: %s", error)
            time.sleep(1.0)
            self.client.lpush(service, text)


class Transport(redis.Transport):
    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:
        if queue not in settings.SERVICES or _is_message(message):
            super()._deliver(message, queue)
            return
        channels: list[Any] = self.channels or []
        next(channel for channel in channels if queue in channel.active_queues).keep(json.dumps(message))


def _is_message(found: Any) -> bool:
    """Whether kombu can make a message of it."""
    try:
        body, properties = found["body"], found["properties"]
        if properties.get("body_encoding") == "base64":
            base64.b64decode(body)
        delivery = properties["delivery_tag"], properties["delivery_info"].get("routing_key")
        return isinstance(body, str) and isinstance(found.get("headers"), dict) and bool(delivery)
    except (TypeError, KeyError, AttributeError, ValueError):
        return False
