"""The time axis of an order's drawing: where each moment is, and how wide a step is for what is written on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import log10

from orders.telling.happenings import Happening, Kind
from shop.base.spans import offset

# In px.
NAMES = 104  # the lanes' names
GAP = 18  # between a step and what it follows from, for the arrow
LETTER, PADDING = 7.2, 18
NARROWEST, PER_DECADE = 40, 16  # of a stretch of time: for none, and for each power of ten of ms
TICKS_APART = 108
FULL = 1180  # as wide as the card it stands in, where the window is 1280
MOST_PARCELS = 4  # of an order that are drawn one by one


def drawn(one: Happening) -> list[str]:
    """The warehouses whose parcels are drawn one by one; else one that has no name."""
    return sorted(one.parcels) if 1 < len(one.parcels) <= MOST_PARCELS else [""]


def label(one: Happening, warehouse: str) -> str:
    parcels = f" · {len(one.parcels)} parcels" if len(one.parcels) > MOST_PARCELS else ""
    return one.text + (f" · {warehouse}" if warehouse else parcels)


def wide(one: Happening) -> float:
    return max(LETTER * len(label(one, warehouse)) + PADDING for warehouse in drawn(one))


def _reached(ahead: Sequence[Happening], start: float) -> dict[str, float]:
    """Where each of these expected steps ends: behind all that it waits for, and so beside what does not wait for it."""
    ends: dict[str, float] = {}
    for one in ahead:
        ends[one.done] = (
            max((ends.get(before, start) for before in one.after), default=start) + GAP + wide(one)
        )
    return ends


class Axis:
    """Where each moment is: the stretches between moments that matter are wide enough for what is written there."""

    def __init__(self, found: Sequence[Happening], now: datetime) -> None:
        self._now, self._began = now, min((one.began for one in found), default=now)
        real = [one for one in found if one.kind != Kind.EXPECTED]
        moments = {moment for one in real for moment in (one.began, one.ended or now)}
        needed = {(one.began, one.ended or now): wide(one) + GAP for one in real}
        self._x: dict[datetime, float] = {}
        x, last = float(NAMES + max((wide(one) for one in real[:1]), default=0)), None
        for moment in sorted(moments):
            if last is not None:
                x += max(self._width(moment - last), needed.get((last, moment), 0))
            self._x[moment] = x
            last = moment
        ahead = [one for one in found if one.kind == Kind.EXPECTED]
        self._stretch(FULL - 2 * GAP - max(_reached(ahead, 0.0).values(), default=0.0))
        self.end = max(self._x.values(), default=x)
        self._reached = _reached(ahead, self.end)

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
        """Of a step: where it begins, and how wide it is. What is expected comes behind all else."""
        width = wide(one)
        if one.kind == Kind.EXPECTED:
            return self._reached[one.done] - width, width
        right = self._x[one.ended or self._now]
        left = self._x[one.began] + GAP
        if right - left < width:  # it took no time that anybody knows of
            left = right - width
        return left, right - left

    def at(self, moment: datetime) -> float:
        """Where a moment is at which no step began or ended: in its share of the stretch around it."""
        known = sorted(self._x)
        before = [one for one in known if one <= moment][-1:]
        after = [one for one in known if one > moment][:1]
        if not before or not after:
            return self._x[(before or after)[0]] if known else self.end
        share = (moment - before[0]) / (after[0] - before[0])
        return self._x[before[0]] + share * (self._x[after[0]] - self._x[before[0]])

    def ticks(self) -> list[tuple[float, str]]:
        ticks: list[tuple[float, str]] = []
        for moment, x in self._x.items():
            if not ticks:
                ticks.append((x, f"{moment:%H:%M:%S}"))
            elif x - ticks[-1][0] >= TICKS_APART and (after := offset(moment - self._began)) != ticks[-1][1]:
                ticks.append((x, after))
        return ticks
