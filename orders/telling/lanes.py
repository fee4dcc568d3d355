"""An order's way through the services, drawn in letters: a lane each, time from left to right, as on its page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from orders.telling.happenings import Happening, Kind
from shop.base.spans import span
from shop.base.terminal import Part

WIDTH = 60  # letters from the first moment to the last
NAME = 14  # letters
WAITED, WORKED, OUTSIDE = "·", "█", "▒"
LEGEND = f"{WAITED} waiting  {WORKED} at work  {OUTSIDE} at a provider"
Cell = tuple[str, str]  # a letter and its level


def drawn(
    told: Iterable[Happening], since: datetime, until: datetime, shades: Mapping[Kind, str]
) -> Iterator[list[Part]]:
    """Lines, each as parts with their levels. ``shades``: the level of each kind that has one."""
    happened = [one for one in told if one.kind != Kind.EXPECTED]
    until = max([until, *(one.ended for one in happened if one.ended)])
    whole = max((until - since).total_seconds(), 0.001)

    def column(seconds: float) -> int:
        return min(WIDTH - 1, max(0, int(seconds / whole * WIDTH)))

    lanes: dict[str, list[Cell]] = {}
    for one in happened:
        lane = lanes.setdefault(one.service, [(" ", "plain")] * WIDTH)
        level = shades.get(one.kind, "fine")
        end = ((one.ended or until) - since).total_seconds()
        begin, at_work = (one.began - since).total_seconds(), end - one.worked - one.outside
        outside = end - one.outside
        for place in range(column(begin), column(end) + 1):
            letter = WORKED if place >= column(at_work) else WAITED
            letter = OUTSIDE if one.outside and place >= column(outside) else letter
            if letter != WAITED or lane[place][0] == " ":
                lane[place] = (letter, "soft" if letter == WAITED else level)
    for service, lane in lanes.items():
        yield [f"{service:<{NAME}}", *_joined(lane)]
    length = span(until - since)
    yield [("".ljust(NAME) + "0" + length.rjust(WIDTH - 1) + f"   {LEGEND}", "soft")]


def _joined(lane: list[Cell]) -> Iterator[Part]:
    """Neighbours of one level as one part; what is empty at the end is left out."""
    text, level = "", "plain"
    for letter, its in lane:
        if its != level:
            yield (text, level)
            text, level = "", its
        text += letter
    yield (text.rstrip(), level)
