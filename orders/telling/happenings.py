"""What happened to an order, step by step: its timeline with the attempts at each step folded into it, then what is under
way and what is expected next. The same for both styles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from inventory.events import InventoryReserved, StockDispatched
from orders.events import OrderStalled
from orders.models import TimelineEntry
from orders.process import FORWARD_OPERATIONS, MIRROR, PER_WAREHOUSE, PROCESS, REFUSED_BY, WISH
from shipping.events import CancellationRefused, OrderShipped, ParcelsLabelled
from shop.messaging.events import StepFailed

SYSTEM, CUSTOMER = "system", "customer"  # who acted; else who a wish to cancel came from


class Kind(StrEnum):
    DONE = "done"
    UNDO = "undo"
    REFUSED = "refused"
    UNDER_WAY = "now"
    LATE = "late"  # under way, and has failed so far, or was expected by now
    EXPECTED = "expected"


@dataclass(frozen=True)
class Happening:
    """One step. ``began``: when what it follows from had happened; ``ended``: none, it has not yet.

    ``causes``: the events it follows from. ``waited``, ``worked``, ``outside``: s of its last attempt in an outbox or a
    queue, at work, and at a provider, as far as that is known. ``failures``: its attempts before, with when it was taken
    up again. ``by``: who acted. ``parcels``: what it was done for side by side, tracking numbers by warehouse.
    Of what is not done: ``due``, in words, when it is expected; ``done``, the event that will tell it; and ``after``, the
    events it waits for.
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
    by: str = SYSTEM
    parcels: Mapping[str, str] = field(default_factory=dict)
    due: str = ""
    done: str = ""
    after: Sequence[str] = ()

    @property
    def text(self) -> str:
        """Its words, who acted if it was a person, and how often it was tried, if more than once."""
        who = f" · by {self.by}" if self.by != SYSTEM else ""
        tried = self.attempts + (1 if self.ended else 0)
        often = f" · {tried:,} attempt{'s' if tried > 1 else ''}" if self.attempts else ""
        return f"{self.words}{who}{often}"

    @property
    def took(self) -> timedelta | None:
        """From what it follows from until it was done. None: it follows from nothing, or is not done yet."""
        return self.ended - self.began if self.ended and self.causes else None

    @property
    def attempts(self) -> int:
        """Those that failed."""
        return sum(one.event == StepFailed.__name__ for one in self.failures)

    @property
    def told_by(self) -> TimelineEntry | None:
        """What an engineer looks at to learn of it: the event that tells it, or else its last failure."""
        return self.entry or (self.failures[-1] if self.failures else None)


WORDS: dict[str, str] = {
    **{step.done.__name__: step.words for step in PROCESS},
    **{move.done.__name__: f"↩ {move.words}" for move in MIRROR},
    **{refused.__name__: "refused" for refused in REFUSED_BY},
    WISH.__name__: "to be cancelled",
    CancellationRefused.__name__: "too late to cancel",
    StepFailed.__name__: "failed",
    OrderStalled.__name__: "taken up again",
}
# What each event of the way there waits for.
AFTER: dict[str, set[str]] = {
    step.done.__name__: {event.__name__ for event in (step.after or (PROCESS[index].done,))}
    for index, step in enumerate(PROCESS[1:])
}
PLACED = PROCESS[0].done.__name__
# What each event of the way back takes back. Parcels are held back though none has a label yet.
TAKES_BACK = {
    step.undo.done.__name__: step.done.__name__ for step in PROCESS if step.undo and step is not PER_WAREHOUSE
}
NOTHING_TO_UNDO = "↩ nothing to undo"
UNDOS = {move.done.__name__ for move in MIRROR}
ASKED_FOR = {PLACED, WISH.__name__}
REFUSALS = {refused.__name__ for refused in REFUSED_BY}
# What is done for each warehouse's parcel.
PARCELWISE = {event.__name__ for event in (InventoryReserved, ParcelsLabelled, OrderShipped, StockDispatched)}


def asked_by(entry: TimelineEntry) -> str:
    """Who acted."""
    if entry.event == PLACED:
        return CUSTOMER
    return entry.text.rpartition(" by ")[2] if entry.event == WISH.__name__ else SYSTEM


def _operation(failure: TimelineEntry) -> str:
    """At what it failed: its text begins with that."""
    return failure.text.partition(" ")[0]


def _step(failure: TimelineEntry) -> str:
    return _operation(failure).partition(".")[2].replace("_", " ")


class Told:
    """A timeline, and which of its events followed from which. ``parcels``: tracking numbers by warehouse."""

    def __init__(self, timeline: Iterable[TimelineEntry], parcels: Mapping[str, str] | None = None) -> None:
        entries = sorted(timeline, key=lambda entry: (entry.at, entry.pk))
        self.events = {entry.event for entry in entries}
        self.parcels = parcels or {}
        self.regular = [entry for entry in entries if entry.kind != TimelineEntry.Kind.TROUBLE]
        self._by_id = {entry.event_id: entry for entry in entries}
        self._failures: dict[str, list[TimelineEntry]] = defaultdict(list)
        self._stalls: list[TimelineEntry] = []
        self._failed_before: dict[UUID, list[TimelineEntry]] = {}
        self._given_up: list[TimelineEntry] = []
        for entry in entries:
            if entry.event == StepFailed.__name__:
                self._failures[entry.service].append(entry)
            elif entry.kind == TimelineEntry.Kind.TROUBLE:
                self._stalls.append(entry)
            else:
                if entry.event in UNDOS:
                    self.give_up(entry.service)
                self._failed_before[entry.event_id] = self.take_failures(entry.service)
        self._causes = {entry.event_id: self._find_causes(entry) for entry in self.regular}

    @property
    def last(self) -> TimelineEntry | None:
        return self.regular[-1] if self.regular else None

    def take_failures(self, service: str) -> list[TimelineEntry]:
        """The attempts of this service that nothing has come after yet; and when the order was taken up again. Once."""
        found = [*self._failures.pop(service, []), *self._stalls]
        self._stalls = []
        return sorted(found, key=lambda entry: (entry.at, entry.pk))

    def give_up(self, service: str) -> None:
        """Its attempts at a step forward have nothing to do with an undo that comes after them."""
        forward = [one for one in self._failures[service] if _operation(one) in FORWARD_OPERATIONS]
        if forward:
            self._failures[service] = [one for one in self._failures[service] if one not in forward]
            *before, last = forward
            self._failed_before[last.event_id] = before
            self._given_up.append(last)

    def failing(self) -> dict[str, list[TimelineEntry]]:
        """By service, the attempts that nothing has come after yet."""
        return {service: failures for service, failures in self._failures.items() if failures}

    def happenings(self) -> list[Happening]:
        """In the sequence in which they ended."""
        told = sorted([*self.regular, *self._given_up], key=lambda entry: (entry.at, entry.pk))
        return [self._happening(entry) for entry in told]

    def _find_causes(self, entry: TimelineEntry) -> list[TimelineEntry]:
        """What it followed from, and what it waited for beside: none that led to another of them. Where it followed from
        trouble, such as a deadline, it is what had happened until then.
        """
        before = [one for one in self.regular if one.at <= entry.at and one is not entry]
        awaited = [one for one in before if one.event in AFTER.get(entry.event, ())]
        cause = self._by_id.get(entry.cause) if entry.cause else None
        if cause is None or cause.kind == TimelineEntry.Kind.TROUBLE:
            asked_for = entry.cause is None and entry.event in ASKED_FOR
            cause = None if asked_for or awaited or not before else before[-1]
        found = {one.event_id: one for one in [*awaited, *([cause] if cause else [])]}
        earlier = {id for one in found.values() for id in self._led_to(one)}
        return [one for id, one in found.items() if id not in earlier]

    def _led_to(self, entry: TimelineEntry) -> set[UUID]:
        """All that it followed from, however far back, by what the events themselves say."""
        found: set[UUID] = set()
        while entry.cause and entry.cause not in found:
            found.add(entry.cause)
            if (before := self._by_id.get(entry.cause)) is None:
                break
            entry = before
        return found

    def _words(self, entry: TimelineEntry) -> str:
        done = TAKES_BACK.get(entry.event)
        return WORDS.get(entry.event, entry.event) if done is None or done in self.events else NOTHING_TO_UNDO

    def _happening(self, entry: TimelineEntry) -> Happening:
        failures, is_given_up = self._failed_before[entry.event_id], entry in self._given_up
        causes = self._find_causes(entry) if is_given_up else self._causes[entry.event_id]
        began = min(max((cause.at for cause in causes), default=entry.at), entry.at)
        kind = Kind.UNDO if entry.kind == TimelineEntry.Kind.UNDO else Kind.DONE
        outside, worked, waited = entry.outside or 0.0, 0.0, 0.0
        if entry.began_at:
            tried = any(one.event == StepFailed.__name__ for one in failures)
            worked = max(0.0, (entry.at - entry.began_at).total_seconds() - outside)
            waited = max(0.0, (entry.began_at - began).total_seconds()) if not tried else 0.0
        return Happening(
            Kind.REFUSED if is_given_up or entry.event in REFUSALS else kind,
            entry.service,
            f"{_step(entry)}: given up" if is_given_up else self._words(entry),
            began,
            entry.at,
            tuple(cause.event_id for cause in causes),
            entry,
            waited,
            worked,
            outside,
            failures,
            asked_by(entry),
            self.parcels if entry.event in PARCELWISE else {},
        )
