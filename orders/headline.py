"""How an order is, in two words and in one sentence: how it ended, or what stands in its way and what happens next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orders.models import Order, Saga, TimelineEntry
from orders.process import BEFORE_THE_PIVOT, ENDS, MIRROR, PROCESS, awaited
from orders.trouble import FINE, TROUBLE, WAITING, Elsewhere, Finding, is_overdue
from shop.base.spans import span

UNDONE, DONE = "undone", "done"  # levels beside those of findings
UNDOS = {move.done.__name__ for move in MIRROR}
STEPS = {step.done.__name__ for step in PROCESS[1:-1] if step.position != BEFORE_THE_PIVOT}


def badge(order: Order, around: Elsewhere) -> tuple[str, str]:
    """(level, two words), for staff and customers; what stands in its way comes before how far it has come."""
    saga = order.saga
    if saga.state == Saga.State.ENDED:
        return UNDONE if saga.undo else DONE, order.status
    if saga.state == Saga.State.NEEDS_ATTENTION:
        return TROUBLE, "needs attention"
    if saga.state == Saga.State.PARKED:
        return TROUBLE, "parked"
    if awaited(saga.position).service in around.away:
        return WAITING, "waits for a provider"
    if order.uuid in around.silent or is_overdue(saga, around.now):
        return TROUBLE, "stands still"
    if saga.undo:
        return UNDONE, "being undone"
    return (WAITING, "being tried again") if saga.attempt or saga.last_error else (FINE, order.status)


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
        why = f": {saga.reason.rstrip('.')}" if saga.reason else ""
        return Headline(
            UNDONE, f"Cancelled{why}.", _told(timeline, UNDOS - {ENDS[Order.Status.CANCELLED].__name__})
        )
    if saga.state == Saga.State.ENDED:
        took = f" in {span(order.ended_at - order.placed_at)}" if order.ended_at else ""
        return Headline(DONE, f"Completed{took}.", _told(timeline, STEPS))
    first, stop, rest = findings[0].text.partition(". ")
    return Headline(findings[0].level, first + stop.strip(), rest)


def _told(timeline: Sequence[TimelineEntry], events: set[str]) -> str:
    """What these events said, as one sentence."""
    told = "; ".join(dict.fromkeys(entry.text for entry in timeline if entry.event in events))
    return f"{told[:1].upper()}{told[1:]}." if told else ""
