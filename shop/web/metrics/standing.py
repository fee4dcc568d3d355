"""How things stand just now: orders in flight, outboxes and inboxes, providers, workers. Each question by itself: what a
database or the broker does not tell is left out, and the others are told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from orders.models import Order, Saga
from orders.telling.situation import LATE
from shop.base.saying import Seldom
from shop.base.tally import sums
from shop.messaging import leading
from shop.messaging.outages import Outage, outages
from shop.messaging.reach import by_database, only_holding_up
from shop.messaging.rows import execute, now_in
from shop.messaging.tables import inbox_of
from shop.web.control.boxes import Boxes, boxes
from shop.web.control.broker import Broker, watch

logger = logging.getLogger(__name__)

T = TypeVar("T")
_seldom = Seldom()

LAG_OF = 200  # of the messages a service has handled last
LAG_WITHIN = 30  # s

# By the indexes of sagas that are due and of those that wait: no order that has ended is read.
IN_FLIGHT = f"""
    SELECT orders.style, orders.status, count(*), count(*) FILTER (WHERE saga.state IN {{waiting}}),
        count(*) FILTER (WHERE saga.state = '{Saga.State.RUNNING}' AND saga.deadline < now() - %s),
        count(*) FILTER (WHERE saga.state = '{Saga.State.RUNNING}' AND saga.attempt > 0), min(orders.placed_at)
    FROM {{saga}} AS saga JOIN {{orders}} AS orders ON orders.id = saga.order_id
    WHERE saga.state = '{Saga.State.RUNNING}' OR saga.state IN {{waiting}} GROUP BY 1, 2
"""
# An event's id tells when it was made (UUID, version 7); where the message was handled, the inbox has its time.
LAG = """
    SELECT '{service}', coalesce(max(lag), 0) FROM (
        SELECT extract(epoch FROM received_at) - ('x' || substr(replace(event_id::text, '-', ''), 1, 12))::bit(48)::bigint
            / 1000.0 AS lag
        FROM (SELECT event_id, received_at FROM {inbox} ORDER BY id DESC LIMIT {most}) AS latest
        WHERE substr(event_id::text, 15, 1) = '7' AND received_at > now() - interval '{within} s'
    ) AS lags
"""


@dataclass(frozen=True)
class InFlight:
    """``waiting``: for a person. ``overdue``: it was time to take them up. ``retried``: something failed."""

    style: str
    status: str
    count: int
    waiting: int
    overdue: int
    retried: int
    oldest: datetime


@dataclass
class Standing:
    """None: it could not be asked. ``now``: by the database's clock."""

    now: datetime | None = None
    in_flight: Sequence[InFlight] | None = None
    boxes: Mapping[str, Boxes] = field(default_factory=dict)
    lags: Mapping[str, float] = field(default_factory=dict)
    outages: Mapping[str, Outage] | None = None
    relays: int | None = None
    broker: Broker = field(default_factory=Broker)
    sums: Sequence[tuple[str, Sequence[str], int]] = ()


def look() -> Standing:
    return Standing(
        asked(lambda: now_in(Order), None),
        asked(_in_flight, None),
        asked(boxes, {}),
        asked(_lags, {}),
        asked(outages, None),
        asked(leading.running, None),
        watch.look(),
        asked(lambda: list(sums()), ()),
    )


def asked(question: Callable[[], T], otherwise: T) -> T:
    try:
        return question()
    except (DatabaseError, InterfaceError, redis.RedisError) as error:
        why = str(error).partition("\n")[0]
        if _seldom(why):
            logger.warning("A metric can't be told: %s", why)
        return otherwise


def in_flight_sql() -> str:
    waiting = ", ".join(f"'{state}'" for state in Saga.WAIT_FOR_A_PERSON)
    return IN_FLIGHT.format(saga=Saga._meta.db_table, orders=Order._meta.db_table, waiting=f"({waiting})")


def _in_flight() -> Sequence[InFlight]:
    return [InFlight(*row) for row in execute(Order, in_flight_sql(), LATE, fetch=True)]


def _lags() -> Mapping[str, float]:
    found = {}
    for sharing in by_database(settings.SERVICES):
        with only_holding_up(sharing[0]):
            sql = " UNION ALL ".join(
                LAG.format(
                    service=service, inbox=inbox_of(service)._meta.db_table, most=LAG_OF, within=LAG_WITHIN
                )
                for service in sharing
            )
            found.update(
                {
                    service: max(0.0, float(lag))
                    for service, lag in execute(inbox_of(sharing[0]), sql, fetch=True)
                }
            )
    return found
