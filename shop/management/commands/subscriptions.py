"""``manage.py subscriptions``: who hears what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from shop.messaging.subscriptions import Subscription, every
from shop.messaging.tables import services

HEAD = ("event", "published by", "heard by", "receiver", "style", "reacts within")
ANY_SERVICE = "any service"


class Command(BaseCommand):
    help = "Show who hears what: every event, who publishes it, and which receiver of which service hears it."
    requires_system_checks = ()  # it reads the code alone

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--format", choices=("table", "mermaid"), default="table", help="default: %(default)s"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lines = table() if options["format"] == "table" else mermaid()
        self.stdout.write("\n".join(lines))


def table() -> Iterator[str]:
    rows = [
        (sub.event.__name__, owner(sub), sub.service, sub.receiver, sub.style or "both", f"{sub.within:g} s")
        for sub in every()
    ]
    widths = [max(len(row[column]) for row in (HEAD, *rows)) for column in range(len(HEAD))]
    for row in (HEAD, tuple("-" * width for width in widths), *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def mermaid() -> Iterator[str]:
    """Markdown with one flowchart per style: an arrow leads from who publishes to who hears."""
    for number, style in enumerate(settings.STYLES):
        if number:
            yield ""
        yield f"### {style.capitalize()}"
        yield ""
        yield "```mermaid"
        yield from flowchart([sub for sub in every() if sub.wants(style)])
        yield "```"


def flowchart(heard: Sequence[Subscription]) -> Iterator[str]:
    arrows: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for sub in heard:
        arrows[owner(sub), sub.service, sub.receiver.partition(".")[2]].append(sub.event.__name__)
    names = {name for publisher, hearer, _ in arrows for name in (publisher, hearer)}
    yield "flowchart LR"
    for name in (*services(), ANY_SERVICE):
        if name in names:
            yield f'    {node(name)}["{name}"]'
    for (publisher, hearer, receiver), events in arrows.items():
        yield f'    {node(publisher)} -- "{"<br>".join(events)}<br><i>{receiver}</i>" --> {node(hearer)}'


def owner(subscription: Subscription) -> str:
    name = subscription.event.owner()
    return name if name in services() else ANY_SERVICE


def node(name: str) -> str:
    return name.replace(" ", "_")
