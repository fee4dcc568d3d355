"""The table an import ends with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orders.models import Order
from shop.base.money import show
from shop.tools.invoices.catalogue import CURRENCY
from shop.tools.invoices.cleaning import Dirt
from shop.tools.invoices.tally import Tally
from shop.tools.invoices.waiting import Ends

WIDTH = 88
RETURNS_SHOWN = 20
PARKED, OPEN = "parked, waiting for a person", "not yet at an end"


def summary(tally: Tally, ends: Ends, style: str, seconds: float) -> Iterator[str]:
    yield f"Import, {style}"
    yield from _rows([("invoices and cancellations read", tally.invoices), ("lines read", tally.lines)])
    yield ""
    yield "Orders"
    yield from _rows(
        [
            ("placed now", len(tally.placed)),
            ("placed before, left as they are", len(tally.again)),
            (Order.Status.COMPLETED.value, ends.completed),
            *((f"cancelled: {reason}", count) for reason, count in sorted(ends.cancelled.items())),
            (PARKED, ends.parked),
            (OPEN, ends.unfinished),
            *((f"invoice not placed: {reason}", count) for reason, count in sorted(tally.not_placed.items())),
        ]
    )
    if +tally.named:
        yield ""
        yield "Cancellation invoices"
        yield from _rows([(named.value, count) for named, count in tally.named.items() if count])
        yield from (f"  {sentence}" for sentence in tally.returns[:RETURNS_SHOWN])
        if len(tally.returns) > RETURNS_SHOWN:
            yield f"  And {len(tally.returns) - RETURNS_SHOWN} more."
    if +tally.dirt:
        yield ""
        yield "Lines with something odd"
        for treatment in ("skipped", "kept"):
            yield from _rows(
                [(f"{treatment}: {d.words}", tally.dirt[d]) for d in Dirt if _shown(tally, d, treatment)]
            )
    yield ""
    yield "Money and time"
    yield from _text_rows(
        [
            ("ordered", show(ends.total_minor, CURRENCY)),
            ("of completed orders", show(ends.completed_minor, CURRENCY)),
            ("duration", f"{seconds:.1f} s"),
            ("orders/s, from the first placed to the last ended", _rate(tally, ends)),
        ]
    )


def level_of(line: str, ends: Ends) -> str:
    """How a line of the table weighs: headings, and what somebody must look at."""
    if line and not line.startswith(" "):
        return "strong"
    if line.strip().startswith(PARKED):
        return "trouble" if ends.parked else "plain"
    if line.strip().startswith(OPEN):
        return "waiting" if ends.unfinished else "plain"
    return "plain"


def as_object(tally: Tally, ends: Ends, style: str, seconds: float) -> dict[str, Any]:
    """The same for a machine."""
    return {
        "style": style,
        "invoices": tally.invoices,
        "lines": tally.lines,
        "placed_now": len(tally.placed),
        "placed_before": len(tally.again),
        Order.Status.COMPLETED.value: ends.completed,
        Order.Status.CANCELLED.value: dict(ends.cancelled),
        "parked": ends.parked,
        "unfinished": ends.unfinished,
        "all_ended": ends.all_ended,
        "not_placed": dict(tally.not_placed),
        "cancellations": {named.name.lower(): count for named, count in tally.named.items() if count},
        "returns": tally.returns,
        "odd_lines": {dirt.name.lower(): count for dirt, count in tally.dirt.items() if count},
        "ordered_minor": ends.total_minor,
        "completed_minor": ends.completed_minor,
        "currency": CURRENCY,
        "seconds": round(seconds, 3),
        "seconds_to_the_last_end": ends.seconds,
    }


def _shown(tally: Tally, dirt: Dirt, treatment: str) -> bool:
    return dirt.treatment == treatment and tally.dirt[dirt] > 0


def _rate(tally: Tally, ends: Ends) -> str:
    if not tally.placed or not ends.seconds or not ends.all_ended:
        return "-"
    return f"{len(tally.placed) / ends.seconds:,.1f}"


def _rows(rows: list[tuple[str, int]]) -> Iterator[str]:
    return _text_rows([(label, f"{count:,}") for label, count in rows])


def _text_rows(rows: list[tuple[str, str]]) -> Iterator[str]:
    for label, value in rows:
        yield f"  {label} {'.' * max(2, WIDTH - len(label) - len(value))} {value}"
