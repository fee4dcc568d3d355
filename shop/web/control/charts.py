"""What the charts draw, as JSON; and the same as rows for those who can't see them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from orders.process import ENDS
from shop.web.control.flow import MINUTE, PLACED, Flow
from shop.web.control.links import List, between, ended, orders
from shop.web.control.numbers import Numbers

CAME = "placed"  # the series; those of the ends are called like the status


def series(numbers: Numbers) -> dict[str, Any]:
    """By name, a value a minute. The last one stands for now, and is what the last sixty seconds brought."""
    flow, flight = numbers.flow, numbers.flight
    if not flow or not flight:
        return {}
    moments = [minute + MINUTE for minute in flow.minutes[:-1]] + [flow.now]
    waiting = flight.waiting_since
    return {
        "at": [moment.timestamp() for moment in moments],
        **{
            name: [*flow.per_minute(what)[:-1], flow.lately.get(what, 0)]
            for name, what in ((CAME, PLACED), *((status, status) for status in ENDS))
        },
        "in_flight": flow.in_flight(flight.count),
        "waiting": [bisect_right(waiting, moment) for moment in moments],
    }


def minutes(flow: Flow) -> Sequence[tuple[str, Sequence[tuple[int, List]]]]:
    """The last minutes in which anything happened, the latest first: (when it began, how many, each with its list)."""
    kinds = (PLACED, *ENDS)
    counts = [flow.per_minute(what) for what in kinds]
    rows = []
    for index, minute in reversed([*enumerate(flow.minutes)]):
        until = min(minute + MINUTE, flow.now)
        lists = [
            orders(**between("placed_at", minute, until)) if what == PLACED else ended(what, minute, until)
            for what in kinds
        ]
        if any(count[index] for count in counts):
            rows.append(
                (f"{minute:%H:%M}", [(count[index], one) for count, one in zip(counts, lists, strict=True)])
            )
    return rows
