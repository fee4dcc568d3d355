"""An order's way through the services, drawn: a lane for each service, time from left to right, an arrow from what led to
a step. Long waits are folded: the longer one is, the wider, but by its logarithm; the ticks say how long it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log10

from django.conf import settings

from orders.happenings import Happening, Kind
from shop.base.spans import span

# In px.
NAMES = 104  # the lanes' names
GAP = 18  # between a step and what it follows from, for the arrow
LETTER, PADDING = 6.6, 16
NARROWEST, PER_DECADE = 40, 16  # of a stretch of time: for none, and for each power of ten of ms
TOP, ROW, BOX = 34, 40, 30
TICKS_APART = 84
FULL = 1140  # as wide as the page is at 1280


@dataclass(frozen=True)
class Part:
    """Where a step's time went: waiting, at work, at a provider."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True)
class Box:
    happening: Happening
    x: float
    y: float
    width: float
    parts: Sequence[Part]
    told: str

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
    now: float | None

    @property
    def bottom(self) -> float:
        return self.height - 18


def draw(found: Sequence[Happening], now: datetime) -> Drawing:
    """What ``happenings`` has found, until ``now``."""
    time = _Time(found, now)
    spans = [time.span(one) for one in found]
    rows = _rows(found, spans)
    lanes, y = [], float(TOP)
    for service in settings.SERVICES:
        taken = {row for one, row in zip(found, rows, strict=True) if one.service == service}
        if taken:
            lanes.append(Lane(service, y, ROW * len(taken)))
            y += ROW * len(taken) + 6
    tops = {lane.name: lane.y for lane in lanes}
    boxes = [
        Box(
            one,
            x,
            tops[one.service] + ROW * row + 5,
            width,
            _parts(one, x, width),
            _told(one, found[0].began),
        )
        for one, row, (x, width) in zip(found, rows, spans, strict=True)
        if one.service in tops
    ]
    return Drawing(
        max((x + width for x, width in spans), default=time.end) + 2 * GAP,
        y + 18,
        lanes,
        boxes,
        _arrows(boxes),
        time.ticks(),
        time.end if any(one.ended is None for one in found) else None,
    )


class _Time:
    """Where each moment is: the stretches between moments that matter are wide enough for what is written there."""

    def __init__(self, found: Sequence[Happening], now: datetime) -> None:
        self._now, self._began = now, min((one.began for one in found), default=now)
        real = [one for one in found if one.kind != Kind.EXPECTED]
        moments = {moment for one in real for moment in (one.began, one.ended or now)}
        needed = {(one.began, one.ended or now): _wide(one.text) + GAP for one in real}
        self._x: dict[datetime, float] = {}
        x, last = float(NAMES + max((_wide(one.text) for one in real[:1]), default=0)), None
        for moment in sorted(moments):
            if last is not None:
                x += max(self._width(moment - last), needed.get((last, moment), 0))
            self._x[moment] = x
            last = moment
        ahead = sum(_wide(one.text) + GAP for one in found if one.kind == Kind.EXPECTED)
        self._stretch(FULL - 2 * GAP - ahead)
        self.end = self._expected = max(self._x.values(), default=x)

    def _stretch(self, end: float) -> None:
        """Have what is known take all the room there is."""
        first, last = min(self._x.values(), default=0.0), max(self._x.values(), default=0.0)
        if first < last < end:
            factor = (end - first) / (last - first)
            self._x = {moment: first + (x - first) * factor for moment, x in self._x.items()}

    @staticmethod
    def _width(length: timedelta) -> float:
        return NARROWEST + PER_DECADE * log10(1 + length / timedelta(milliseconds=1))

    def span(self, one: Happening) -> tuple[float, float]:
        """Of a step: where it begins, and how wide it is. What is expected comes behind all else, in turn."""
        wide = _wide(one.text)
        if one.kind == Kind.EXPECTED:
            self._expected += wide + GAP
            return self._expected - wide, wide
        right = self._x[one.ended or self._now]
        left = self._x[one.began] + GAP
        if right - left < wide:  # it took no time that anybody knows of
            left = right - wide
        return left, right - left

    def ticks(self) -> list[tuple[float, str]]:
        ticks: list[tuple[float, str]] = []
        for moment, x in self._x.items():
            if not ticks:
                ticks.append((x, f"{moment:%H:%M:%S}"))
            elif (
                x - ticks[-1][0] >= TICKS_APART
                and (after := f"+{span(moment - self._began)}") != ticks[-1][1]
            ):
                ticks.append((x, after))
        return ticks


def _wide(text: str) -> float:
    return LETTER * len(text) + PADDING


def _rows(found: Sequence[Happening], spans: Sequence[tuple[float, float]]) -> list[int]:
    """What overlaps in a lane stands in several rows."""
    until: dict[str, list[float]] = {}
    rows = []
    for one, (x, width) in zip(found, spans, strict=True):
        ends = until.setdefault(one.service, [])
        row = next((row for row, end in enumerate(ends) if end <= x), len(ends))
        ends[row : row + 1] = [x + width]
        rows.append(row)
    return rows


def _parts(one: Happening, x: float, width: float) -> list[Part]:
    """In the proportion of their lengths."""
    lengths = {"waited": one.waited, "worked": one.worked, "outside": one.outside}
    whole = sum(lengths.values())
    parts = []
    for kind, length in lengths.items():
        if length and whole:
            parts.append(Part(kind, x, width * length / whole))
            x += width * length / whole
    return parts


def _arrows(boxes: Sequence[Box]) -> list[str]:
    by_event = {box.happening.entry.event_id: box for box in boxes if box.happening.entry}
    pairs = [(by_event[cause], box) for box in boxes for cause in box.happening.causes if cause in by_event]
    ahead = [box for box in boxes if box.happening.ended is None]
    pairs += [
        (before, after)
        for before, after in itertools.pairwise(ahead)
        if after.happening.kind == Kind.EXPECTED
    ]
    bend = GAP * 0.8
    return [
        f"M{a.right:.1f} {a.middle:.1f} C{a.right + bend:.1f} {a.middle:.1f} "
        f"{b.x - bend:.1f} {b.middle:.1f} {b.x:.1f} {b.middle:.1f}"
        for a, b in pairs
    ]


def _told(one: Happening, since: datetime) -> str:
    """All about a step, in words."""
    if one.kind == Kind.EXPECTED:
        return f"{one.service}: {one.words}, expected"
    if one.entry is None:
        tried = f", {one.text.partition(' · ')[2]} so far" if one.failures else ""
        return f"{one.service}: {one.words}, under way{tried}"
    lengths = ((one.waited, "waited"), (one.worked, "at work"), (one.outside, "at the provider"))
    went = ", ".join(f"{span(timedelta(seconds=length))} {what}" for length, what in lengths if length)
    at = span(one.entry.at - since)
    return f"{one.service}, +{at}: {one.entry.text}{f' ({went})' if went else ''}"
