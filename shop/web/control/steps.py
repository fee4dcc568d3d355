"""How long each step takes, from what led to it until it was done, of the orders placed lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orders.models import Order, TimelineEntry
from orders.process import MIRROR, PROCESS, Move
from shop.messaging.rows import as_array, execute

LATELY = timedelta(minutes=15)
SAMPLE = 300  # orders that are looked at; of more, one of so many

# By a hash, not by every so manieth: who places orders of both styles in turn would else see one style alone.
CHOSEN = f"""
    SELECT id, style FROM {{orders}} WHERE placed_at >= %s AND (hashint8(id) & 2147483647) %% %s = 0
    ORDER BY id DESC LIMIT {2 * SAMPLE}
"""
TIMES = f"""
    SELECT told.event, chosen.style, count(*),
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM told.at - led.at))),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM told.at - told.began_at)))
    FROM ({CHOSEN}) AS chosen
    JOIN {{timeline}} AS told ON told.order_id = chosen.id AND told.event = ANY(%s::varchar[])
    JOIN {{timeline}} AS led ON led.event_id = told.cause
    GROUP BY 1, 2
"""


@dataclass(frozen=True)
class StepTime:
    """Of one step in one style, in seconds; ``work``: of its p50, how long it was at work, where that is known."""

    move: Move
    style: str
    count: int
    p50: float
    p95: float
    work: float | None


def step_times(now: datetime, placed: int) -> Sequence[StepTime]:
    """One query, in the sequence of the process. ``placed``: about how many orders were, in that time."""
    moves = {move.done.__name__: move for move in (*PROCESS[1:], *MIRROR)}
    sql = TIMES.format(orders=Order._meta.db_table, timeline=TimelineEntry._meta.db_table)
    every = max(1, placed // SAMPLE)
    found = execute(Order, sql, now - LATELY, every, as_array(moves), fetch=True)
    times = [
        StepTime(
            moves[event], style, n, float(spans[0]), float(spans[1]), None if work is None else float(work)
        )
        for event, style, n, spans, work in found
    ]
    sequence = [*moves.values()]
    return sorted(times, key=lambda one: (sequence.index(one.move), one.style))
