"""The broker that BROKER_URL names, where it is another than the Redis of REDIS_URL."""

from __future__ import annotations

from urllib.parse import urlsplit

import amqp
from kombu import Connection

from shop.tools.up.errors import StartError
from shop.tools.up.redis import check_redis


def check_broker(url: str) -> None:
    """A broker somebody else runs: that it lets us in is all we ask."""
    parts = urlsplit(url)
    if not parts.scheme.startswith("amqp"):
        check_redis(url, "BROKER_URL")
        return
    try:
        with Connection(url, connect_timeout=3) as connection:
            connection.connect()
    except (amqp.AMQPError, ValueError, OSError) as error:
        place = f"{parts.hostname or '127.0.0.1'}:{parts.port or 5672}"
        said = str(error).rstrip(".")
        raise StartError(f"BROKER_URL is set, but {place} does not let us in: {said}.") from None
