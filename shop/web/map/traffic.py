"""How much goes over the edges just now, and what fails on them: read from outboxes, inboxes, incidents and sagas.

Bounded however long the tables are: of each outbox the latest rows, of all else what stands in a partial index. Services
that share a database are asked at once; of one whose database is away nothing is known.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orders.edges import COMMANDS, Edge
from orders.models import Order, Saga
from orders.process import awaited
from shop.messaging.models import AbstractInbox
from shop.messaging.reach import by_database, only_holding_up
from shop.messaging.rows import Found, execute
from shop.messaging.tables import inbox_of, incidents_of, outbox_of, services

LOOK_BACK = 300  # s
LATEST = (
    3_000  # events of a service, looked at at the most: where more came in that time, it is a shorter time
)
OPEN_AT_MOST = 5_000  # rows that fail, of a service

PUBLISHED = """
    SELECT * FROM (
        WITH latest AS MATERIALIZED (SELECT type, style, created_at FROM {outbox} ORDER BY id DESC LIMIT {latest}),
        seen AS (SELECT CASE WHEN count(*) < {latest} THEN {back}
                 ELSE least({back}, extract(epoch FROM statement_timestamp() - min(created_at))) END AS long FROM latest)
        SELECT '{service}', type, style, count(*) * 60.0 / greatest(max(long), 1) FROM latest, seen
        WHERE created_at > statement_timestamp() - make_interval(secs => {back}) GROUP BY type, style
    ) AS {service}
"""
FAILING = """
    SELECT '{service}', type, receiver, '', state, count(*) FROM (
        SELECT type, receiver, state FROM {inbox} WHERE NOT (state = '{done}') LIMIT {most}
    ) AS {service} GROUP BY type, receiver, state
    UNION ALL
    SELECT '{service}', type, receiver, style, '{silent}', count(*) FROM {incidents}
    WHERE closed_at IS NULL GROUP BY type, receiver, style
"""
SAGAS = """
    SELECT placed.style, found.step, found.undo, found.state, count(*) FROM (
        (SELECT order_id, step, undo, state FROM {saga} WHERE state IN ('{parked}', '{attention}') LIMIT {most})
        UNION ALL
        SELECT order_id, step, undo, state FROM (
            SELECT * FROM {saga} WHERE state = '{running}' ORDER BY deadline LIMIT {most}
        ) AS running WHERE attempt > 0 OR last_error <> ''
    ) AS found JOIN {order} AS placed ON placed.id = found.order_id GROUP BY 1, 2, 3, 4
"""
SILENT = "silent"


@dataclass
class Load:
    """Of one edge: a minute's events or commands (None: nobody knows), and how many of them fail or are late."""

    rate: float | None = None
    retrying: Counter[str] = field(default_factory=Counter)  # by the service in whose inbox they stand
    parked: Counter[str] = field(default_factory=Counter)
    silent: int = 0

    @property
    def level(self) -> str:
        if self.parked.total() or self.silent:
            return "bad"
        if self.retrying.total():
            return "late"
        return "live" if self.rate else "quiet"


@dataclass(frozen=True)
class Traffic:
    """All that was found. ``unknown``: the services whose databases are away."""

    rates: Mapping[tuple[str, str, str], float]  # by service, type, style
    open: Mapping[tuple[str, str], Counter[str]]  # by type and receiver: how many of each state
    silent: Mapping[tuple[str, str, str], int]  # by type, receiver, style
    sagas: Mapping[tuple[str, str], Counter[str]]  # by style and the operation that is waited for
    unknown: frozenset[str]

    def on(self, edge: Edge, style: str) -> Load:
        """What is found on an edge of a style. Inboxes don't know styles: a receiver of both shows it in both."""
        counted = edge.move.service if edge.move else edge.source
        publishers = [counted] if counted in services() else [*services()]
        known = [service for service in publishers if service not in self.unknown]
        rate = sum(
            self.rates.get((service, event.__name__, style), 0.0) for service in known for event in edge.tells
        )
        load = Load(rate if known else None)
        if edge.move:
            states = self.sagas.get((style, edge.receiver), Counter())
            load.retrying[COMMANDS] += states[Saga.State.RUNNING]
            load.parked[COMMANDS] += sum(states[state] for state in Saga.WAIT_FOR_A_PERSON)
            load.silent = sum(
                count
                for (_, receiver, of), count in self.silent.items()
                if (receiver, of) == (edge.receiver, style)
            )
            return load
        for receiver in (edge.receiver, *edge.noting):
            states = self.open.get((edge.name, receiver), Counter())
            service = receiver.partition(".")[0]
            load.retrying[service] += states[AbstractInbox.State.FAILING]
            load.parked[service] += states[AbstractInbox.State.PARKED]
            load.silent += self.silent.get((edge.name, receiver, style), 0)
        return load


def traffic() -> Traffic:
    """As it is now: two statements for each database, and one about the sagas."""
    rates: dict[tuple[str, str, str], float] = {}
    open_: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    silent: dict[tuple[str, str, str], int] = defaultdict(int)
    answered: set[str] = set()
    for sharing in by_database(services()):
        with only_holding_up(sharing[0]):
            for service, type_, style, rate in _ask(PUBLISHED, sharing):
                rates[service, type_, style] = float(rate)
            for _, type_, receiver, style, state, count in _ask(FAILING, sharing):
                if state == SILENT:
                    silent[type_, receiver, style] += count
                else:
                    open_[type_, receiver][state] += count
            answered.update(sharing)
    return Traffic(rates, open_, silent, _sagas(), frozenset(services()) - answered)


def _ask(each: str, sharing: Iterable[str]) -> Found:
    some = [*sharing]
    parts = [
        each.format(
            service=service,
            outbox=outbox_of(service)._meta.db_table,
            inbox=inbox_of(service)._meta.db_table,
            incidents=incidents_of(service)._meta.db_table,
            done=AbstractInbox.State.DONE,
            silent=SILENT,
            latest=LATEST,
            back=LOOK_BACK,
            most=OPEN_AT_MOST,
        )
        for service in some
    ]
    return execute(outbox_of(some[0]), " UNION ALL ".join(parts), fetch=True)


def _sagas() -> dict[tuple[str, str], Counter[str]]:
    """Those that have failed, by what they wait for."""
    sql = SAGAS.format(
        saga=Saga._meta.db_table,
        order=Order._meta.db_table,
        parked=Saga.State.PARKED,
        attention=Saga.State.NEEDS_ATTENTION,
        running=Saga.State.RUNNING,
        most=OPEN_AT_MOST,
    )
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    with only_holding_up(COMMANDS):
        for style, step, undo, state, count in execute(Saga, sql, fetch=True):
            found[style, awaited(undo or step).operation][state] += count
    return found
