"""The map of a style, drawn: a column for each service, and a row for each edge, an arrow from who tells to who hears.

Rows stand in the sequence of the process, so the drawing is read from top to bottom, as a story; nothing crosses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orders.edges import ANY_SERVICE, Edge
from shop.messaging.tables import services
from shop.web.map.facts import Facts

# In px.
FIRST, APART = 58, 118  # the columns
HEAD, ROW, NOTED_ROW, BETWEEN = 54, 42, 30, 14
LOOP = 30  # how far out an arrow goes that leads back to its own column
RATE = 44  # the figures, at the right end
WIDTH = 690
HEAD_LONG = 8


@dataclass(frozen=True)
class Row:
    """An edge: the arrow's path, where its words stand, and what is told of it."""

    facts: Facts
    y: float
    path: str
    head: str
    from_x: float
    text_x: float
    anchor: str
    dots: Sequence[float] = ()  # where else it comes from
    notes: str = ""  # the path to who notes it besides

    @property
    def kind(self) -> str:
        return "command" if self.facts.edge.move else "noted" if self.facts.edge.noted else "event"

    @property
    def above(self) -> float:
        return self.y - 6

    @property
    def below(self) -> float:
        return self.y + 14


@dataclass(frozen=True)
class Section:
    """A part of the process, under a title, with the heads of the columns."""

    kind: str
    title: str
    y: float
    bottom: float
    rows: Sequence[Row]

    @property
    def title_y(self) -> float:
        return self.y + 16

    @property
    def heads_y(self) -> float:
        return self.y + 40

    @property
    def lines_y(self) -> float:
        return self.y + 48


@dataclass(frozen=True)
class Drawing:
    style: str
    width: float
    height: float
    columns: Sequence[tuple[str, float]]
    sections: Sequence[Section]

    @property
    def troubles_x(self) -> float:
        return self.width - RATE


def draw(style: str, parts: Sequence[tuple[str, str, Sequence[Facts]]]) -> Drawing:
    """``parts``: of the process, each with its kind, its title and what is told of its edges."""
    columns = {service: float(FIRST + APART * number) for number, service in enumerate(services())}
    sections, y = [], 0.0
    for kind, title, told in parts:
        rows, row_y = [], y + HEAD
        for facts in told:
            height = NOTED_ROW if facts.edge.noted else ROW
            rows.append(_row(facts, columns, row_y + height / 2 + 2))
            row_y += height
        sections.append(Section(kind, title, y, row_y, rows))
        y = row_y + BETWEEN
    return Drawing(style, WIDTH, y, [*columns.items()], sections)


def _row(facts: Facts, columns: dict[str, float], y: float) -> Row:
    edge = facts.edge
    target = columns[edge.target]
    if edge.source == ANY_SERVICE:
        others = [x for service, x in columns.items() if service != edge.target]
        start = max(others, key=lambda x: abs(x - target))
        return Row(facts, y, *_straight(start, target, y), start, (start + target) / 2, "middle", others)
    start = columns[edge.source]
    if start == target:
        path = f"M{start} {y - 8} h{LOOP - 8} q8 0 8 8 t-8 8 h{HEAD_LONG + 8 - LOOP}"
        return Row(facts, y, path, _head(start, 1, y + 8), start, start + LOOP + 8, "start")
    middle, notes = (start + target) / 2, _notes(edge, columns, start, y)
    return Row(facts, y, *_straight(start, target, y), start, middle, "middle", notes=notes)


def _straight(start: float, end: float, y: float) -> tuple[str, str]:
    """The line, and its head."""
    side = -1 if end > start else 1
    return f"M{start} {y} H{end + side * HEAD_LONG}", _head(end, side, y)


def _head(x: float, side: int, y: float) -> str:
    """It comes from this side (1: the right), and points at the column."""
    return f"M{x + side} {y} l{side * HEAD_LONG} -4.5 v9 z"


def _notes(edge: Edge, columns: dict[str, float], start: float, y: float) -> str:
    """To who notes it besides, where that is a service of another column than the arrow's two."""
    for receiver in edge.noting:
        service = receiver.partition(".")[0]
        if service not in (edge.source, edge.target):
            return f"M{start} {y} H{columns[service]}"
    return ""
