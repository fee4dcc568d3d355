"""How an order is, in one sentence: how it ended, or what stands in its way and what happens next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orders.models import BY, Order, Saga, TimelineEntry
from orders.process import BEFORE_THE_PIVOT, ENDS, MIRROR, PROCESS
from orders.telling.situation import DONE, UNDONE
from orders.telling.trouble import Finding
from shop.base.spans import span

UNDOS = {move.done.__name__ for move in MIRROR}
STEPS = {step.done.__name__ for step in PROCESS[1:-1] if step.position != BEFORE_THE_PIVOT}


@dataclass(frozen=True)
class Headline:
    """``level``: fine, waiting, trouble, undone or done. ``first`` is the sentence that counts."""

    level: str
    first: str
    rest: str = ""


def headline(order: Order, timeline: Sequence[TimelineEntry], findings: Sequence[Finding]) -> Headline:
    """``findings``: why it waits, most telling first, if it does."""
    saga = order.saga
    if saga.state == Saga.State.ENDED and saga.undo:
        by = saga.reason.startswith(BY)  # which says it all
        why = f": {saga.reason.rstrip('.')}" if saga.reason else ""
        return Headline(
            UNDONE,
            f"{saga.reason.capitalize() if by else f'Cancelled{why}'}.",
            _told(timeline, UNDOS - {ENDS[Order.Status.CANCELLED].__name__}),
        )
    if saga.state == Saga.State.ENDED:
        took = f" in {span(order.ended_at - order.placed_at)}" if order.ended_at else ""
        late = " A cancellation came too late: the parcels had left." if order.cancellation_refused else ""
        return Headline(DONE, f"Completed{took}.", _told(timeline, STEPS) + late)
    first, stop, rest = findings[0].text.partition(". ")
    return Headline(findings[0].level, first + stop.strip(), rest)


def _told(timeline: Sequence[TimelineEntry], events: set[str]) -> str:
    """What these events said, as one sentence."""
    told = "; ".join(dict.fromkeys(entry.text for entry in timeline if entry.event in events))
    return f"{told[:1].upper()}{told[1:]}." if told else ""
