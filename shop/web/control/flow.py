"""How orders came and ended, minute by minute of the last hour, and how long they took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orders.models import Order
from orders.process import ENDS
from shop.messaging.rows import Found, execute

MINUTES = 60
PLACED = ""  # beside the statuses in which an order ends
MINUTE = timedelta(minutes=1)

# (since when, until when, the minute before that)
CAME = """
    SELECT date_trunc('minute', placed_at), style, count(*), count(*) FILTER (WHERE placed_at >= %s)
    FROM {table} WHERE placed_at >= %s AND placed_at < %s GROUP BY 1, 2
"""
ENDED = """
    SELECT date_trunc('minute', ended_at) AS minute, style, status, count(*), count(*) FILTER (WHERE ended_at >= %s),
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - placed_at))
    FROM {table} WHERE ended_at >= %s AND ended_at < %s
    GROUP BY GROUPING SETS ((minute, style, status), (style, status), (status))
"""


@dataclass(frozen=True)
class Flow:
    """``now``: until when it is counted. ``counts``: by minute, style and how they ended (or ``PLACED``).

    ``lately``: in the last sixty seconds, by how they ended. ``took``: by style ("": both) and how they ended, p50 and
    p95 in seconds.
    """

    now: datetime
    counts: Mapping[tuple[datetime, str, str], int]
    lately: Mapping[str, int]
    took: Mapping[tuple[str, str], tuple[float, float]]

    @property
    def since(self) -> datetime:
        return self.minutes[0]

    @property
    def minutes(self) -> Sequence[datetime]:
        """When each began, the oldest first; the last is not over."""
        last = self.now.replace(second=0, microsecond=0)
        return [last - MINUTE * back for back in range(MINUTES - 1, -1, -1)]

    def per_minute(self, what: str) -> list[int]:
        sums: dict[datetime, int] = defaultdict(int)
        for (minute, _, how), count in self.counts.items():
            sums[minute] += count if how == what else 0
        return [sums[minute] for minute in self.minutes]

    def of(self, what: str, style: str | None = None) -> int:
        """In the whole hour."""
        return sum(n for (_, s, how), n in self.counts.items() if how == what and style in (None, s))

    def placed_within(self, span: timedelta) -> int:
        """About how many were placed in this time."""
        return sum(self.per_minute(PLACED)[-1 - span // MINUTE :])

    def in_flight(self, now: int) -> list[int]:
        """How many were under way at each minute's end, told from how many are now."""
        came, gone = self.per_minute(PLACED), [self.per_minute(status) for status in ENDS]
        counts = [now]
        for index in range(MINUTES - 1, 0, -1):
            counts.append(max(0, counts[-1] - came[index] + sum(ended[index] for ended in gone)))
        return counts[::-1]


def flow(now: datetime) -> Flow:
    """Two queries, over the last hour's orders. ``now``: by the database's clock."""
    found = Flow(now, {}, {}, {})
    counts: dict[tuple[datetime, str, str], int] = {}
    lately: dict[str, int] = defaultdict(int)
    took: dict[tuple[str, str], tuple[float, float]] = {}
    for minute, style, count, fresh in _rows(CAME, found):
        counts[minute, style, PLACED] = count
        lately[PLACED] += fresh
    for minute, style, status, count, fresh, spans in _rows(ENDED, found):
        if minute:
            counts[minute, style, status] = count
            lately[status] += fresh
        else:
            took[style or "", status] = (float(spans[0]), float(spans[1]))
    return Flow(now, counts, lately, took)


def _rows(sql: str, hour: Flow) -> Found:
    sql = sql.format(table=Order._meta.db_table)
    return execute(Order, sql, hour.now - MINUTE, hour.since, hour.now, fetch=True)
