"""What happened to an order, step by step: its timeline with the attempts at each step folded into it, then what is under
way and what is expected next. The same for both styles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from orders.models import Saga, TimelineEntry
from orders.process import MIRROR, PROCESS, REFUSED_BY, WISH, Move, still_to_do
from shipping.events import CancellationRefused
from shop.messaging.events import StepFailed


class Kind(StrEnum):
    DONE = "done"
    UNDO = "undo"
    REFUSED = "refused"
    UNDER_WAY = "now"
    LATE = "late"  # under way, and has failed so far
    EXPECTED = "expected"


@dataclass(frozen=True)
class Happening:
    """One step. ``began``: when what it follows from had happened; ``ended``: none, it has not yet.

    ``causes``: the events it follows from. ``waited``, ``worked``, ``outside``: s of its last attempt in an outbox or a
    queue, at work, and at a provider, as far as that is known. ``failures``: its attempts before.
    """

    kind: Kind
    service: str
    words: str
    began: datetime
    ended: datetime | None
    causes: tuple[UUID, ...] = ()
    entry: TimelineEntry | None = None
    waited: float = 0.0
    worked: float = 0.0
    outside: float = 0.0
    failures: Sequence[TimelineEntry] = field(default=())

    @property
    def text(self) -> str:
        """Its words, and how often it was tried, if more than once."""
        if not self.failures:
            return self.words
        tried = len(self.failures) + (1 if self.ended else 0)
        return f"{self.words} · {tried} attempt{'s' if tried > 1 else ''}"


WORDS: dict[str, str] = {
    **{step.done.__name__: step.words for step in PROCESS},
    **{move.done.__name__: f"↩ {move.words}" for move in MIRROR},
    **{refused.__name__: "refused" for refused in REFUSED_BY},
    WISH.__name__: "to be cancelled",
    CancellationRefused.__name__: "too late to cancel",
}
# What each event of the way there waits for.
AFTER: dict[str, set[str]] = {
    step.done.__name__: {event.__name__ for event in (step.after or (PROCESS[index].done,))}
    for index, step in enumerate(PROCESS[1:])
}
ASKED_FOR = {PROCESS[0].done.__name__, WISH.__name__}
REFUSALS = {refused.__name__ for refused in REFUSED_BY}


def happenings(saga: Saga, timeline: Iterable[TimelineEntry], now: datetime) -> list[Happening]:
    """In the sequence in which they ended. ``now``: until when what is under way has lasted."""
    told = _Told(timeline)
    found = [told.happening(entry) for entry in told.regular]
    return [*found, *_still(saga, told, now)]


class _Told:
    """A timeline, and which of its events followed from which."""

    def __init__(self, timeline: Iterable[TimelineEntry]) -> None:
        entries = sorted(timeline, key=lambda entry: (entry.at, entry.pk))
        self.regular = [entry for entry in entries if entry.kind != TimelineEntry.Kind.TROUBLE]
        self._by_id = {entry.event_id: entry for entry in entries}
        self._failures: dict[str, list[TimelineEntry]] = defaultdict(list)
        self._failed_before: dict[UUID, list[TimelineEntry]] = {}
        for entry in entries:
            if entry.event == StepFailed.__name__:
                self._failures[entry.service].append(entry)
            elif entry.kind != TimelineEntry.Kind.TROUBLE:
                self._failed_before[entry.event_id] = self._failures.pop(entry.service, [])

    @property
    def last(self) -> TimelineEntry | None:
        return self.regular[-1] if self.regular else None

    @property
    def events(self) -> set[str]:
        return {entry.event for entry in self.regular}

    def failing(self) -> dict[str, list[TimelineEntry]]:
        """By service, the attempts that nothing has come after yet."""
        return dict(self._failures)

    def cause(self, entry: TimelineEntry) -> TimelineEntry | None:
        """What it followed from. Where that was trouble, such as a deadline, what had happened until then; and where
        several things are waited for, the last of them.
        """
        before = [one for one in self.regular if one.at <= entry.at and one is not entry]
        cause = self._by_id.get(entry.cause) if entry.cause else None
        if cause is None or cause.kind == TimelineEntry.Kind.TROUBLE:
            asked_for = entry.cause is None and entry.event in ASKED_FOR
            cause = None if asked_for or not before else before[-1]
        awaited = [one for one in before if one.event in AFTER.get(entry.event, ())]
        return max([*awaited, *([cause] if cause else [])], key=lambda one: one.at, default=None)

    def happening(self, entry: TimelineEntry) -> Happening:
        failures, cause = self._failed_before[entry.event_id], self.cause(entry)
        began = min(cause.at if cause else entry.at, entry.at)
        kind = Kind.UNDO if entry.kind == TimelineEntry.Kind.UNDO else Kind.DONE
        outside, worked, waited = entry.outside or 0.0, 0.0, 0.0
        if entry.began_at:
            worked = max(0.0, (entry.at - entry.began_at).total_seconds() - outside)
            waited = max(0.0, (entry.began_at - began).total_seconds()) if not failures else 0.0
        return Happening(
            Kind.REFUSED if entry.event in REFUSALS else kind,
            entry.service,
            WORDS.get(entry.event, entry.event),
            began,
            entry.at,
            (cause.event_id,) if cause else (),
            entry,
            waited,
            worked,
            outside,
            failures,
        )


def _still(saga: Saga, told: _Told, now: datetime) -> Iterator[Happening]:
    """What is under way, what fails beside it, and what is expected behind it."""
    if saga.state == Saga.State.ENDED or not told.last:
        return
    last, failing = told.last, told.failing()
    ahead: list[Move] = [move for move in still_to_do(saga.position) if move.done.__name__ not in told.events]
    for move in ahead[:1]:
        failures = failing.pop(move.service, [])
        in_trouble = failures or saga.attempt or saga.state in Saga.WAIT_FOR_A_PERSON
        kind = Kind.LATE if in_trouble else Kind.UNDER_WAY
        yield Happening(
            kind, move.service, _in_words(move), last.at, None, (last.event_id,), failures=failures
        )
    for service, failures in failing.items():
        yield Happening(Kind.LATE, service, "failing", failures[0].at, None, failures=failures)
    for move in ahead[1:]:
        yield Happening(Kind.EXPECTED, move.service, move.words, now, None)


def _in_words(move: Move) -> str:
    return move.operation.partition(".")[2].replace("_", " ")
