"""Whether relay and workers live, and whether there are queues for which nobody does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import redis
from celery import Celery

from shop.messaging import heartbeat
from shop.messaging.brokers import AWAY
from shop.messaging.leading import CONNECTED, LEADS, still_after
from shop.tools.doctor.database import connect
from shop.tools.doctor.findings import Findings, Scribe, Unknown
from shop.tools.doctor.installation import Installation

LISTENS = 2.0  # s to workers; they answer between two messages
FRESH = 5 * heartbeat.EVERY  # s; a sign of life is not older
STALE, GONE = 30.0, 900.0  # s
MOST_KEYS = 20_000  # of Redis that are looked at
NO_QUEUES = ("pidbox", "celeryev", "celery-task-meta", "_kombu")  # what Celery keeps beside its queues


# Each relay, how long it has stood still, and whether it has the lead.
RELAYS = f"""
    SELECT split_part(application_name, ' ', 3), silent, pid IN (
        SELECT held.pid FROM pg_locks AS held JOIN pg_database ON pg_database.oid = held.database
        WHERE locktype = 'advisory' AND granted AND datname = current_database()
        AND classid::bigint = %s AND objid::bigint = %s
    ) FROM ({CONNECTED}) AS relay
"""


def check_relay(shop: Installation) -> Findings:
    """They are connected to the database of the first service, under a name of theirs, and move; one has the lead."""
    say = Scribe("relay")
    alias = shop.services[0] if shop.services[0] in shop.databases else "default"
    try:
        with connect(shop.databases[alias]) as connection:
            found = connection.execute(RELAYS, [LEADS >> 32, LEADS & 0xFFFFFFFF]).fetchall()
    except psycopg.Error as error:
        raise Unknown from error  # the database's own check says so
    if not found:
        yield say.wrong(
            "No relay runs: what is placed is not sent, and nothing is sent again.",
            "Start one: python manage.py relay.",
        )
    elif not any(leads for *_, leads in found):
        yield say.wrong(
            f"None of the {len(found)} relays leads: nothing is confirmed, pruned or resumed.",
            "Wait 10 s and look again; if it is still so, start the relays again, those of the newest version last.",
        )
    still = [one for one in found if one[1] >= still_after()]
    for process, silent, leads in still:
        tell = say.wrong if leads or len(still) == len(found) else say.worry
        meanwhile = ", and it leads: nothing is confirmed, pruned or resumed" if leads else ""
        yield tell(
            f"The relay of process {process} has stood still for {silent:,.0f} s{meanwhile}. It hangs, or is frozen.",
            f"Let it go on (kill -CONT {process}), or end it (kill -KILL {process}) and start one: "
            "python manage.py relay.",
        )


def check_workers(shop: Installation) -> Findings:
    say = Scribe("workers")
    try:
        answering = _answering(shop)
        lengths = _lengths(shop)
    except AWAY as error:
        raise Unknown from error  # the broker's own check says so
    for service in shop.services:
        if service in answering or _beats(shop, service):
            continue
        waiting = f" {lengths[service]:,} messages wait for one." if lengths.get(service) else ""
        yield say.wrong(
            f"The queue {service} has no consumer: no worker answers.{waiting}",
            f"Start one: python manage.py worker {service}.",
        )
    for name, length in lengths.items():
        if name not in shop.services:
            yield say.worry(
                f"There is a queue {name} that nobody has declared, with {length:,} messages: no worker takes them.",
                "See what sent them (an older version, another program?), and delete the queue; the outbox sends again.",
            )


def check_beats(shop: Installation) -> Findings:
    """Processes that left signs of life in the data folder until lately. One that has gone for good is not missed."""
    say = Scribe("heartbeats")
    for name, age in sorted(_ages(shop).items()):
        if STALE < age < GONE:
            yield say.worry(
                f"{name} has left no sign of life for {age:,.0f} s: it has ended, or hangs.",
                f"See its log, and start it again: {_start(name)}.",
            )


def _start(name: str) -> str:
    kind, _, rest = name.partition("-")
    return f"python manage.py {kind}" if not rest else f"python manage.py {kind} {rest.partition('-')[0]}"


def _answering(shop: Installation) -> set[str]:
    """The services of which a worker answers. It is called after its service: ``payments@host``, ``payments-2@host``."""
    app = Celery("doctor", broker=shop.broker_url, set_as_current=False)
    app.conf.broker_transport_options = {
        **shop.broker_options,
        "socket_timeout": LISTENS,
        "socket_connect_timeout": 2,
    }
    app.conf.broker_connection_timeout = LISTENS
    try:
        answers = app.control.ping(timeout=LISTENS) or []
    finally:
        app.close()
    return {name.partition("@")[0].partition("-")[0] for answer in answers for name in answer}


def _beats(shop: Installation, service: str) -> bool:
    """Whether a worker of the service has left a sign of life just now: it may only be busy."""
    return any(
        age < FRESH and name.removeprefix("worker-").partition("-")[0] == service
        for name, age in _ages(shop).items()
    )


def _ages(shop: Installation) -> dict[str, float]:
    """How many seconds ago each process has left a sign of life in the data folder, by its name."""
    found: dict[str, float] = {}
    if shop.data:
        with suppress(OSError):
            for file in (shop.data / "beats").iterdir():
                found[file.name] = time.time() - file.stat().st_mtime
    return found


def _lengths(shop: Installation) -> dict[str, int]:
    """Of the queues in Redis, ours and others under our prefix. RabbitMQ tells only of those one knows."""
    if shop.has_rabbitmq:
        return {}
    with redis.Redis.from_url(
        shop.broker_url, socket_connect_timeout=2, socket_timeout=2, decode_responses=True
    ) as client:
        return {name: int(client.llen(f"{shop.prefix}{name}")) for name in sorted(_lists(shop, client))}


def _lists(shop: Installation, client: redis.Redis) -> Iterator[str]:
    seen = 0
    cursor = 0
    while seen < MOST_KEYS:
        cursor, keys = client.scan(cursor, match=f"{shop.prefix}*", count=1000, _type="list")
        seen += 1000
        for key in keys:
            name = str(key).removeprefix(shop.prefix).partition("\x06")[0]
            if not any(word in name for word in NO_QUEUES):
                yield name
        if not cursor:
            return
