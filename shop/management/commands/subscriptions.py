"""``manage.py subscriptions``: who hears what, and who is commanded what."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from orders.edges import ANY_SERVICE, edges, published_by, source_of
from shop.messaging.reactions import expected_within
from shop.messaging.subscriptions import every
from shop.messaging.tables import services
from shop.web.map.traffic import traffic

HEAD = ("event", "published by", "heard by", "receiver", "style", "reacts within")
COMMANDS_HEAD = ("command", "sent by", "done by", "answers with", "style", "answers within")
LIVE_HEAD = ("style", "from", "what", "to", "receiver", "a minute", "retrying", "parked", "silent")
FORMATS = ("table", "mermaid", "json")

Row = tuple[str, ...]


class Command(BaseCommand):
    help = (
        "Show who hears what: every event, who publishes it, and which receiver of which service hears it; and the "
        "commands, with what answers them."
    )
    requires_system_checks = ()  # but for --live, it reads the code alone

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=FORMATS, default="table", help="default: %(default)s")
        parser.add_argument(
            "--live",
            action="store_true",
            help="how many a minute just now, and how many fail, of the running shop",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        parts = [(LIVE_HEAD, live())] if options["live"] else [(HEAD, heard()), (COMMANDS_HEAD, commanded())]
        if options["format"] == "json":
            self.stdout.write(
                json.dumps([named(head, row) for head, rows in parts for row in rows], indent=1)
            )
        elif options["format"] == "mermaid":
            self.stdout.write("\n".join(mermaid()))
        else:
            self.stdout.write("\n\n".join("\n".join(table(head, rows)) for head, rows in parts))


def heard() -> list[Row]:
    """A row for each subscription."""
    return [
        (
            sub.event.__name__,
            source_of(sub.event),
            sub.service,
            sub.receiver,
            sub.style or "both",
            f"{sub.within:g} s",
        )
        for sub in every()
    ]


def commanded() -> list[Row]:
    """A row for each command, in the sequence of the process."""
    return [
        (
            edge.receiver,
            edge.source,
            edge.target,
            ", ".join(sorted(event.__name__ for event in published_by(edge.receiver))),
            style,
            f"{expected_within(edge.receiver):g} s",
        )
        for style in settings.STYLES
        for edge in edges(style)
        if edge.move
    ]


def live() -> list[Row]:
    """A row for each edge of each style, with what goes over it just now."""
    found, rows = traffic(), list[Row]()
    for style in settings.STYLES:
        for edge in edges(style):
            load = found.on(edge, style)
            rate = "unknown" if load.rate is None else f"{load.rate:.1f}"
            failing = (str(load.retrying.total()), str(load.parked.total()), str(load.silent))
            rows.append((style, edge.source, edge.name, edge.target, edge.receiver, rate, *failing))
    return rows


def named(head: Row, row: Row) -> dict[str, str]:
    return dict(zip(head, row, strict=True))


def table(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, tuple("-" * width for width in widths), *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def mermaid() -> Iterator[str]:
    """Markdown with one flowchart per style: an arrow leads from who tells to who hears, a thick one is a command."""
    for number, style in enumerate(settings.STYLES):
        if number:
            yield ""
        yield f"### {style.capitalize()}"
        yield ""
        yield "```mermaid"
        yield from flowchart(style)
        yield "```"


def flowchart(style: str) -> Iterator[str]:
    arrows: dict[Row, list[str]] = defaultdict(list)
    for sub in every():
        if sub.wants(style):
            receiver = sub.receiver.partition(".")[2]
            arrows[source_of(sub.event), sub.service, receiver].append(sub.event.__name__)
    commands: dict[Row, list[str]] = defaultdict(list)
    for edge in edges(style):
        if edge.move:
            commands[edge.source, edge.target].append(edge.name)
    names = {name for tells, hears, *_ in (*arrows, *commands) for name in (tells, hears)}
    yield "flowchart LR"
    for name in (*services(), ANY_SERVICE):
        if name in names:
            yield f'    {node(name)}["{name}"]'
    for (sender, done_by), operations in commands.items():
        yield f'    {node(sender)} == "{"<br>".join(operations)}" ==> {node(done_by)}'
    for (publisher, hearer, receiver), events in arrows.items():
        yield f'    {node(publisher)} -- "{"<br>".join(events)}<br><i>{receiver}</i>" --> {node(hearer)}'


def node(name: str) -> str:
    return name.replace(" ", "_")
