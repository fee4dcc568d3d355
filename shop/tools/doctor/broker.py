"""Valkey or Redis, in which chords join and throttles count, and the broker: the same one, or RabbitMQ."""

from __future__ import annotations

from typing import Any

import amqp
import redis
from kombu import Connection

from shop.messaging.brokers import AWAY
from shop.tools.doctor import clock, versions
from shop.tools.doctor.findings import Findings, Scribe, sentence
from shop.tools.doctor.installation import Installation, place

PATIENCE = 2.0  # s
FULL, NEARLY_FULL = 0.95, 0.8  # of its memory


def check_redis(shop: Installation) -> Findings:
    carries = not shop.has_rabbitmq
    say = Scribe("broker" if carries else "Redis")
    url = shop.broker_url if carries else shop.redis_url
    where = place(url, 6379)
    variable = "BROKER_URL" if url != shop.redis_url else "REDIS_URL"
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE, decode_responses=True
        ) as client:
            yield from _redis(client, where, say)
    except (redis.RedisError, OSError, ValueError) as error:
        said = sentence(error)
        refused = any(word in said.lower() for word in ("auth", "password", "wrongpass", "acl"))
        yield say.wrong(
            f"Redis at {where} does not let us in: {said}.",
            f"Set the password in {variable} to the one Redis knows."
            if refused
            else f"Start Valkey or Redis there, or name another in {variable}. Orders are kept meanwhile, and wait.",
        )


def _redis(client: redis.Redis, where: str, say: Scribe) -> Findings:
    info: dict[str, Any] = dict(client.info())
    name = "Valkey" if "valkey_version" in info else "Redis"
    yield from versions.judged(name, str(info.get("valkey_version") or info["redis_version"]), say)
    yield from clock.compared(f"{name} at {where}", lambda: _time(client), say)
    if info.get("role") == "slave":
        yield say.wrong(
            f"{name} at {where} is a replica: nothing can be written.", "Name the primary instead."
        )
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        yield say.wrong(
            f"{name} at {where} throws keys away when its memory is full ({policy}): messages, and chords that wait.",
            "Set maxmemory-policy noeviction.",
        )
    if (most := int(info.get("maxmemory") or 0)) and (used := int(info["used_memory"])) > NEARLY_FULL * most:
        tell = say.wrong if used > FULL * most else say.worry
        yield tell(f"{name} at {where} has filled {used / most:.0%} of its memory.", "Raise maxmemory.")
    if info.get("aof_last_write_status", "ok") != "ok" or info.get("rdb_last_bgsave_status", "ok") != "ok":
        yield say.wrong(f"{name} at {where} can't write to its disk.", "Make room there; see its log.")
    if not info.get("aof_enabled") and not _saves(client):
        yield say.worry(
            f"{name} at {where} keeps nothing on disk: messages under way are lost with it, and sent again only after "
            "their deadlines.",
            "Set appendonly yes, appendfsync everysec.",
        )


def _time(client: redis.Redis) -> float:
    seconds, microseconds = client.time()
    return float(seconds) + float(microseconds) / 1e6


def _saves(client: redis.Redis) -> bool:
    """Whether it makes snapshots; who may not ask is not told that it does not."""
    try:
        found: dict[Any, Any] = dict(client.config_get("save"))
    except redis.RedisError:
        return True
    return bool(found.get("save"))


def check_rabbitmq(shop: Installation) -> Findings:
    say, where = Scribe("broker"), place(shop.broker_url, 5672)
    try:
        with Connection(shop.broker_url, connect_timeout=PATIENCE) as connection:
            connection.connect()
            found: Any = connection.connection
            version = str(found.server_properties.get("version", "0"))
            yield from versions.judged("RabbitMQ", version, say)
            for service in shop.services:
                yield from _queue(connection, service, say)
    except (*AWAY, ValueError) as error:
        refused = isinstance(error, amqp.AccessRefused)
        yield say.wrong(
            f"RabbitMQ at {where} does not let us in: {sentence(error)}.",
            "Set user, password and virtual host in BROKER_URL to those RabbitMQ knows, with all rights there."
            if refused
            else "Start RabbitMQ there, or name another in BROKER_URL. Orders are kept meanwhile, and wait.",
        )


def _queue(connection: Connection, service: str, say: Scribe) -> Findings:
    """That a queue is there; whether anybody takes from it the workers are asked."""
    channel: Any = connection.channel()
    try:
        channel.queue_declare(service, passive=True)
    except amqp.NotFound:
        yield say.wrong(
            f"There is no queue {service} in RabbitMQ: nobody has declared it.",
            f"Start a worker, which does: python manage.py worker {service}.",
        )
        return
    channel.close()
