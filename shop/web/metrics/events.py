"""What has happened since the last look, counted from the orders' timelines: orders pay nothing for it.

What is asked is bounded: so many rows of the timeline at once, by its key; and of a busy shop the times of one order in
so many, which stands for the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from orders.events import OrderStalled
from orders.models import Order, TimelineEntry
from orders.process import ENDS, MIRROR, PROCESS, REFUSED_BY
from shop.messaging.events import StepFailed, registry
from shop.messaging.rows import as_array, execute
from shop.web.metrics.position import Position

AT_ONCE = 20_000  # rows of one question
QUESTIONS = 10  # of each kind, of one look
TIMED = 5_000  # rows of one question whose times are looked at

STEP_TIMES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)  # s
ORDER_TIMES = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)

WAITS, PARKED, RETRIED = (
    "waits",
    "parked",
    "retried",
)  # what becomes of a step that failed: StepFailed.in_words
HAPPENED = f"""
    SELECT told.event, placed.style, told.service, CASE WHEN told.event <> %s THEN ''
        WHEN told.text ~ '^[^ ]+ waits: ' THEN '{WAITS}'
        WHEN told.text ~ '^[^ ]+ failed, parked ' THEN '{PARKED}' ELSE '{RETRIED}' END, count(*)
    FROM {{timeline}} AS told JOIN {{orders}} AS placed ON placed.id = told.order_id
    WHERE told.id > %s AND told.id <= %s GROUP BY 1, 2, 3, 4
"""
TOOK = """
    SELECT told.event, placed.style, width_bucket(took.seconds, %s::float8[]), count(*), sum(took.seconds)
    FROM {timeline} AS told JOIN {orders} AS placed ON placed.id = told.order_id {since}
    CROSS JOIN LATERAL (SELECT greatest(0, extract(epoch FROM told.at - {began}))::float8 AS seconds) AS took
    WHERE told.id > %s AND told.id <= %s AND told.event = ANY(%s::varchar[])
        AND (hashint8(told.order_id) & 2147483647) %% %s = 0
    GROUP BY 1, 2, 3
"""
PLACED = "SELECT style, count(*) FROM {orders} WHERE id > %s AND id <= %s GROUP BY 1"

Key = tuple[str, ...]


class Times:
    """A histogram: how many there were in each bucket, and their sum, by labels."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.buckets: dict[Key, list[int]] = {}
        self.sums = Counter[Key]()

    def add(self, key: Key, bucket: int, count: int, seconds: float) -> None:
        self.at(key)[bucket] += count
        self.sums[key] += seconds  # type: ignore[assignment]  # a Counter of floats

    def at(self, key: Key) -> list[int]:
        return self.buckets.setdefault(key, [0] * (len(self.bounds) + 1))


class Events:
    """Sums since this process began."""

    def __init__(self, styles: Sequence[str]) -> None:
        self._timeline, self._orders = Position(TimelineEntry), Position(Order)
        self._moves = {move.done.__name__: move for move in (*PROCESS[1:], *MIRROR)}
        self._ends = {event.__name__: str(status) for status, event in ENDS.items()}
        self._refusals = {event.__name__ for event in REFUSED_BY}
        self.placed = Counter[Key]({(style,): 0 for style in styles})
        self.ended = Counter[Key]({(style, how): 0 for style in styles for how in self._ends.values()})
        self.happened = Counter[Key]({(name, style): 0 for name in registry for style in styles})
        self.refused = Counter[Key]({(name, style): 0 for name in self._refusals for style in styles})
        self.resumed = Counter[Key]({(style,): 0 for style in styles})
        services = {move.service for move in (*PROCESS, *MIRROR)}
        self.failed = Counter[Key](
            {(service, how): 0 for service in services for how in (WAITS, PARKED, RETRIED)}
        )
        self.steps, self.orders = Times(STEP_TIMES), Times(ORDER_TIMES)
        for style in styles:
            for move in self._moves.values():
                self.steps.at((move.position, move.service, style))
            for how in self._ends.values():
                self.orders.at((style, how))

    def look(self) -> None:
        """Count what is new. Raises what the database raises; what was not counted then, is the next time."""
        for first, last in _parts(self._orders):
            for style, count in _ask(PLACED, first, last):
                self.placed[style,] += count
            self._orders.counted = last
        for first, last in _parts(self._timeline):
            happened = list(_ask(HAPPENED, StepFailed.__name__, first, last))
            every = max(1, sum(row[-1] for row in happened) // TIMED)
            steps = list(_took(STEP_TIMES, first, last, self._moves, every, LED))
            whole = list(_took(ORDER_TIMES, first, last, self._ends, every, PLACING))
            self._note(happened)
            for event, style, bucket, count, seconds in steps:
                move = self._moves[event]
                key = (move.position, move.service, style)
                self.steps.add(key, bucket, count * every, seconds * every)
            for event, style, bucket, count, seconds in whole:
                self.orders.add((style, self._ends[event]), bucket, count * every, seconds * every)
            self._timeline.counted = last

    def _note(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for event, style, service, how, count in rows:
            self.happened[event, style] += count
            if event in self._ends:
                self.ended[style, self._ends[event]] += count
            if event in self._refusals:
                self.refused[event, style] += count
            if event == OrderStalled.__name__:
                self.resumed[style,] += count
            if how:
                self.failed[service, how] += count


LED = ("JOIN {timeline} AS led ON led.event_id = told.cause", "led.at")
PLACING = ("", "placed.placed_at")


def _parts(position: Position) -> Iterator[tuple[int, int]]:
    """(above which id, up to which), so many rows at once."""
    until = position.look()
    first = position.counted or 0
    for _ in range(QUESTIONS):
        if first >= until:
            return
        last = min(first + AT_ONCE, until)
        yield first, last
        first = last


def _took(
    bounds: Sequence[float], first: int, last: int, events: Any, every: int, since: tuple[str, str]
) -> Iterator[tuple[Any, ...]]:
    join, began = since
    sql = TOOK.replace("{since}", join).replace("{began}", began)
    yield from _ask(sql, list(bounds), first, last, as_array(events), every)


def _ask(sql: str, *params: Any) -> Sequence[tuple[Any, ...]]:
    tables = {"orders": Order._meta.db_table, "timeline": TimelineEntry._meta.db_table}
    return execute(Order, sql.format(**tables), *params, fetch=True)
