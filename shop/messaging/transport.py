"""Redis as a broker that no stranger's entry can end: what is no message of kombu's is kept as a dead letter.

Redis takes anything into a list. kombu expects JSON of its own shape there, and ends the worker where it finds another.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from celery.utils.log import get_logger
from django.conf import settings
from django.db import DatabaseError
from kombu.transport import redis

logger = get_logger(__name__)


class Channel(redis.Channel):
    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # the stubs leave it out
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
