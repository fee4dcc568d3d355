"""What happened to an order as a list: the same as the drawing shows, for screen readers and phones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from orders.events import OrderStalled
from orders.models import TimelineEntry
from orders.telling.happenings import SYSTEM, Happening, Kind
from shop.base.spans import offset, span
from shop.messaging.events import StepFailed

FORWARD, UNDO, TROUBLE, AGAIN, AHEAD = "forward", "undo", "trouble", "again", "ahead"
WAYS = {FORWARD: "→ forward", UNDO: "← undo", TROUBLE: "! trouble", AGAIN: "↻ again", AHEAD: "… ahead"}
MOST_ATTEMPTS = 10  # of a step, told one by one in the list: the last of them


@dataclass(frozen=True)
class Attempt:
    event_id: UUID
    after: str
    at: datetime
    text: str


@dataclass(frozen=True)
class Row:
    """A step, or the attempts before it, folded. ``after``: how long after the order was placed; ``took``: how long after
    what led to it; ``event_id``: what is looked at to learn more. ``causes``: ids and words. ``more``: attempts that are
    not among the ``attempts``.
    """

    way: str
    after: str
    service: str
    words: str
    text: str
    at: datetime | None = None
    by: str = ""
    took: str = ""
    event_id: UUID | None = None
    causes: Sequence[tuple[UUID, str]] = ()
    attempts: Sequence[Attempt] = field(default=())
    more: int = 0

    @property
    def way_in_words(self) -> str:
        return WAYS[self.way]


def rows(found: Sequence[Happening], since: datetime) -> Iterator[Row]:
    """``since``: when the order was placed."""
    words = {one.entry.event_id: one.words for one in found if one.entry}
    for one in found:
        causes = [(cause, words[cause]) for cause in one.causes if cause in words]
        if one.failures:
            yield _folded(one, since, causes)
        if one.entry:
            way = {Kind.UNDO: UNDO, Kind.REFUSED: UNDO}.get(one.kind, FORWARD)
            if one.entry.event == StepFailed.__name__:  # given up
                way = TROUBLE
            by = f"by {one.by}" if one.by != SYSTEM else ""
            told = one.entry
            yield Row(
                *(way, offset(told.at - since), one.service, one.words, told.text, told.at, by),
                took=span(one.took) if one.took else "",
                event_id=told.event_id,
                causes=causes,
            )
        else:
            when = "expected" if one.kind == Kind.EXPECTED else "now"
            yield Row(AHEAD, when, one.service, one.words, one.due, causes=() if one.failures else causes)


def attempts(failures: Sequence[TimelineEntry], since: datetime) -> list[Attempt]:
    return [Attempt(one.event_id, offset(one.at - since), one.at, one.text) for one in failures]


def _folded(one: Happening, since: datetime, causes: Sequence[tuple[UUID, str]]) -> Row:
    """The attempts at a step as one line: what the last one failed at counts."""
    first, last = one.failures[0], one.failures[-1]
    after = offset(first.at - since)
    if last is not first:
        after += f" … {offset(last.at - since)}"
    words = (
        f"tried {_times(one.attempts)} in vain"
        if one.attempts
        else f"taken up again {_times(len(one.failures))}"
    )
    telling = [failure for failure in one.failures if failure.event == StepFailed.__name__] or [last]
    return Row(
        *(
            AGAIN if all(failure.event == OrderStalled.__name__ for failure in one.failures) else TROUBLE,
            after,
            one.service,
            words,
            telling[-1].text,
            last.at,
        ),
        event_id=telling[-1].event_id,
        causes=causes,
        attempts=attempts(one.failures[-MOST_ATTEMPTS:], since) if len(one.failures) > 1 else (),
        more=max(0, len(one.failures) - MOST_ATTEMPTS),
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
