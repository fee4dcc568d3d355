"""An order's way through the services, drawn: a lane for each service, time from left to right, an arrow from what led to
a step. What is done for several parcels stands there for each. Long waits are folded: the longer one is, the wider, but
by its logarithm; the ticks say how long it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from orders.telling.axis import FULL, GAP, PADDING, Axis, drawn, label
from orders.telling.happenings import Happening, Kind
from shop.base.spans import offset, span

TOP, ROW, BOX = 34, 40, 30  # in px
MOST_SHRUNK = 1.5  # a drawing that is no wider than that is shown whole, if smaller


@dataclass(frozen=True)
class Part:
    """Where a step's time went: waiting, at work, at a provider."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True)
class Box:
    """A step or, where it is done for several parcels, its part for the one of ``warehouse``."""

    happening: Happening
    x: float
    y: float
    width: float
    parts: Sequence[Part]
    told: str
    kind: Kind
    warehouse: str = ""

    @property
    def text(self) -> str:
        return label(self.happening, self.warehouse)

    @property
    def event_id(self) -> UUID | None:
        """What tells of it."""
        return self.happening.told_by.event_id if self.happening.told_by else None

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def middle(self) -> float:
        return self.y + BOX / 2

    @property
    def text_at(self) -> tuple[float, float]:
        return self.x + PADDING / 2, self.y + 18

    @property
    def parts_y(self) -> float:
        return self.y + BOX - 6


@dataclass(frozen=True)
class Mark:
    """What a person has done to the order, at its time."""

    x: float
    text: str

    @property
    def shape(self) -> str:
        return f"{self.x - 6:.1f},24 {self.x + 6:.1f},24 {self.x:.1f},33"


@dataclass(frozen=True)
class Lane:
    name: str
    y: float
    height: float

    @property
    def text_y(self) -> float:
        return self.y + 24


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    lanes: Sequence[Lane]
    boxes: Sequence[Box]
    arrows: Sequence[str]  # paths of SVG
    ticks: Sequence[tuple[float, str]]
    marks: Sequence[Mark]
    now: float | None

    @property
    def bottom(self) -> float:
        return self.height - 18

    @property
    def nearly_fits(self) -> bool:
        return self.width < MOST_SHRUNK * FULL


def draw(found: Sequence[Happening], now: datetime, acts: Iterable[tuple[datetime, str]] = ()) -> Drawing:
    """What ``happenings`` has found, until ``now``. ``acts``: what people have done to the order, and when."""
    time = Axis(found, now)
    spans = [time.span(one) for one in found]
    rows = _rows(found, spans)
    lanes, y = [], float(TOP)
    for service in settings.SERVICES:
        taken = {
            row + more
            for one, row in zip(found, rows, strict=True)
            if one.service == service
            for more in range(len(drawn(one)))
        }
        if taken:
            height = ROW * (max(taken) + 1)
            lanes.append(Lane(service, y, height))
            y += height + 6
    tops = {lane.name: lane.y for lane in lanes}
    boxes = [
        Box(
            one,
            x,
            tops[one.service] + ROW * (row + more) + 5,
            width,
            _parts(one, x, width),
            _told(one, found[0].began, warehouse),
            _kind(one, warehouse),
            warehouse,
        )
        for one, row, (x, width) in zip(found, rows, spans, strict=True)
        if one.service in tops
        for more, warehouse in enumerate(drawn(one))
    ]
    return Drawing(
        max((x + width for x, width in spans), default=time.end) + 2 * GAP,
        y + 18,
        lanes,
        boxes,
        _arrows(boxes),
        time.ticks(),
        [Mark(time.at(moment), text) for moment, text in acts],
        time.end if any(one.ended is None for one in found) else None,
    )


def _kind(one: Happening, warehouse: str) -> Kind:
    """A parcel may have its label already while another waits for it."""
    has_label = warehouse and one.ended is None and one.kind != Kind.EXPECTED and one.parcels[warehouse]
    return Kind.DONE if has_label else one.kind


def _rows(found: Sequence[Happening], spans: Sequence[tuple[float, float]]) -> list[int]:
    """What overlaps in a lane stands in several rows, and so do parcels: the first row of each."""
    until: dict[str, list[float]] = {}
    rows = []
    for one, (x, width) in zip(found, spans, strict=True):
        ends, high = until.setdefault(one.service, []), len(drawn(one))
        row = next(row for row in range(len(ends) + 1) if all(end <= x for end in ends[row : row + high]))
        ends.extend([0.0] * (row + high - len(ends)))
        ends[row : row + high] = [x + width] * high
        rows.append(row)
    return rows


def _parts(one: Happening, x: float, width: float) -> list[Part]:
    """In the proportion of their lengths, up to its end. What is before them went into attempts that failed."""
    lengths = {"waited": one.waited, "worked": one.worked, "outside": one.outside}
    known = sum(lengths.values())
    whole = max(known, one.took.total_seconds() if one.took else 0.0)
    parts = []
    x += width * (whole - known) / (whole or 1)
    for kind, length in lengths.items():
        if length and whole:
            parts.append(Part(kind, x, width * length / whole))
            x += width * length / whole
    return parts


def _arrows(boxes: Sequence[Box]) -> list[str]:
    """From parcel to parcel, where both are drawn one by one; else from all to all."""
    by_event: dict[UUID, list[Box]] = {}
    for box in boxes:
        if box.happening.entry:
            by_event.setdefault(box.happening.entry.event_id, []).append(box)
    pairs = [
        (before, box) for box in boxes for cause in box.happening.causes for before in by_event.get(cause, ())
    ]
    ahead = [box for box in boxes if box.happening.done]
    pairs += [
        (before, box) for box in ahead for before in ahead if before.happening.done in box.happening.after
    ]
    bend = GAP * 0.8
    return [
        f"M{a.right:.1f} {a.middle:.1f} C{a.right + bend:.1f} {a.middle:.1f} "
        f"{b.x - bend:.1f} {b.middle:.1f} {b.x:.1f} {b.middle:.1f}"
        for a, b in pairs
        if not (a.warehouse and b.warehouse) or a.warehouse == b.warehouse
    ]


def _told(one: Happening, since: datetime, warehouse: str) -> str:
    """All about a step, in words."""
    parcel = " ".join(filter(None, (warehouse, one.parcels.get(warehouse, ""))))
    service = f"{one.service}{f', {parcel}' if parcel else ''}"
    if one.kind == Kind.EXPECTED:
        return f"{service}: {one.words}, expected{f' {one.due}' if one.due else ''}"
    if one.entry is None:
        tried = f", {one.text.partition(' · ')[2]} so far" if one.attempts else ""
        return f"{service}: {one.words}, under way{tried}{f', {one.due}' if one.due else ''}"
    went = in_words(one)
    return f"{service}, {offset(one.entry.at - since)}: {one.entry.text}{f' ({went})' if went else ''}"


def in_words(one: Happening) -> str:
    """How long a step took, and where its time went."""
    lengths = (
        (one.waited, "waited in an outbox or a queue"),
        (one.worked, "at work"),
        (one.outside, "at the provider"),
    )
    took = [f"took {span(one.took)}"] if one.took else []
    return ", ".join(
        took + [f"{span(timedelta(seconds=length))} {what}" for length, what in lengths if length]
    )
