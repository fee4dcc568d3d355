"""The map of a style, drawn: a column for each service, and a row for each edge, an arrow from who tells to who hears.

Rows stand in the sequence of the process, so the drawing is read from top to bottom, as a story; nothing crosses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orders.edges import ANY_SERVICE, Edge
from shop.messaging.tables import services
from shop.web.map.facts import Facts

# In px.
FIRST, APART = 62, 106  # the columns
HEAD, ROW, NOTED_ROW, BETWEEN = 54, 42, 30, 14
LOOP = 30  # how far out an arrow goes that leads back to its own column
FACTS = 34  # behind the last column
WIDTH = 690
LETTER = 6.4
STOPS_SHORT = 5  # of the line of the column, so that the head touches it


@dataclass(frozen=True)
class Row:
    """An edge: the arrow's path, where its words stand, and what is told of it."""

    facts: Facts
    y: float
    path: str
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
    facts_x: float


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
    facts_x = max(columns.values()) + FACTS
    return Drawing(style, WIDTH, y, [*columns.items()], sections, facts_x)


def _row(facts: Facts, columns: dict[str, float], y: float) -> Row:
    edge = facts.edge
    target = columns[edge.target]
    if edge.source == ANY_SERVICE:
        others = [x for service, x in columns.items() if service != edge.target]
        start = max(others, key=lambda x: abs(x - target))
        return Row(facts, y, _straight(start, target, y), start, (start + target) / 2, "middle", others)
    start = columns[edge.source]
    if start == target:
        path = f"M{start} {y - 8} h{LOOP - 8} q8 0 8 8 t-8 8 h{STOPS_SHORT + 8 - LOOP}"
        return Row(facts, y, path, start, start + LOOP + 8, "start", notes=_notes(edge, columns, start, y))
    path = _straight(start, target, y)
    return Row(facts, y, path, start, (start + target) / 2, "middle", notes=_notes(edge, columns, start, y))


def _straight(start: float, end: float, y: float) -> str:
    return f"M{start} {y} H{end - STOPS_SHORT if end > start else end + STOPS_SHORT}"


def _notes(edge: Edge, columns: dict[str, float], start: float, y: float) -> str:
    """To who notes it besides, where that is a service of another column than the arrow's two."""
    for receiver in edge.noting:
        service = receiver.partition(".")[0]
        if service not in (edge.source, edge.target):
            return f"M{start} {y} H{columns[service] + STOPS_SHORT}"
    return ""


def all_rows(drawing: Drawing) -> Iterator[Row]:
    for section in drawing.sections:
        yield from section.rows
