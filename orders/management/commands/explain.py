"""``manage.py explain ORDER``: where an order is and why it does not move, as its page says it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db.models import QuerySet

from orders.models import Order
from orders.telling import trouble
from orders.telling.ahead import happenings
from orders.telling.drawing import in_words
from orders.telling.happenings import SYSTEM, Happening, Kind
from orders.telling.headline import Headline, headline
from orders.telling.lanes import drawn
from orders.telling.situation import badge, cancellation, elsewhere
from orders.telling.story import parcels_of, timeline_of
from shop.base.spans import offset, span
from shop.base.terminal import Terminal

SHADES = {
    Kind.UNDO: "undone",
    Kind.REFUSED: "trouble",
    Kind.UNDER_WAY: "now",
    Kind.LATE: "waiting",
    Kind.EXPECTED: "soft",
}


class Command(BaseCommand):
    help = "Say where an order is, what has happened to it, what led to what, and why it does not move. Reads only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("order", metavar="ORDER", help="its number, such as S-100042, or its id")
        parser.add_argument("--json", action="store_true", help="print it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._explain(options)
        except DatabaseError as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise CommandError(
                f"The database does not answer: {reason}. Is the shop running (make run)?"
            ) from None

    def _explain(self, options: dict[str, Any]) -> None:
        wanted: str = options["order"]
        order = _called(wanted).select_related("saga").first()
        if order is None:
            raise CommandError(
                f"There is no order {wanted!r}. Give its number, such as S-100042, or its id; the admin lists both."
            )
        around = elsewhere()
        timeline, _ = timeline_of(order)
        findings = trouble.why_it_waits(order, around)
        first = headline(order, timeline, findings)
        told = happenings(order, timeline, around, parcels_of(order))
        level, words = badge(order, around)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(order, words, first, findings, told), indent=2))
            return
        say = Terminal(self.stdout, colour=not options["no_color"]).say
        age = span(around.now - order.placed_at)
        say(
            (order.number, "strong"),
            "  ",
            (words, level),
            f"  {order.total}  {order.style}  placed {order.placed_at:%d %B %Y, %H:%M:%S} UTC, {age} ago\n",
        )
        say(*[part for part in ((first.first, level), f" {first.rest}" if first.rest else "") if part])
        for finding in findings[1:]:
            say("- ", (finding.text, finding.level))
        say()
        for one, line in _lines(told, order.placed_at):
            say((line, SHADES.get(one.kind, "plain")))
        say()
        for lane in drawn(told, order.placed_at, order.ended_at or around.now, SHADES):
            say(*lane)


def _called(wanted: str) -> QuerySet[Order]:
    try:
        return Order.objects.filter(uuid=UUID(wanted))
    except ValueError:
        return Order.objects.with_number(wanted)


def _lines(told: list[Happening], since: datetime) -> Iterator[tuple[Happening, str]]:
    events = {one.entry.event_id: one.entry.event for one in told if one.entry}
    for one in told:
        after = offset(one.entry.at - since) if one.entry else _when(one)
        what = one.entry.text if one.entry else one.text
        if one.entry and one.attempts:
            what += f" (at attempt {one.attempts + 1})"
        elif one.entry and one.failures:
            what += " (taken up again before)"
        elif one.failures:
            what += f": {one.failures[-1].text}"
        if one.by != SYSTEM and one.by not in what:
            what += f", by {one.by}"
        if more := one.due or in_words(one):
            what += f" ({more})"
        because = ", ".join(events[cause] for cause in one.causes if cause in events)
        yield one, f"{after:>15}  {one.service:<13}  {what}{f'  [because of {because}]' if because else ''}"


def _when(one: Happening) -> str:
    return "expected" if one.kind == Kind.EXPECTED else "under way"


def _as_json(
    order: Order, words: str, first: Headline, findings: list[trouble.Finding], told: list[Happening]
) -> dict[str, Any]:
    """Nothing of the customer: ids, times and what happened."""
    return {
        "id": str(order.uuid),
        "number": order.number,
        "style": order.style,
        "state": words,
        "placed_at": order.placed_at.isoformat(),
        "ended_at": order.ended_at.isoformat() if order.ended_at else None,
        "cancellation": cancellation(order.saga),
        "sentence": f"{first.first} {first.rest}".strip(),
        "findings": [{"level": one.level, "text": one.text} for one in findings],
        "steps": [
            {
                "kind": one.kind.value,
                "service": one.service,
                "event": one.entry.event if one.entry else None,
                "event_id": str(one.entry.event_id) if one.entry else None,
                "causes": [str(cause) for cause in one.causes],
                "by": one.by,
                "text": one.entry.text if one.entry else one.words,
                "due": one.due,
                "parcels": [{"warehouse": code, "tracking": number} for code, number in one.parcels.items()],
                "began": one.began.isoformat(),
                "ended": one.ended.isoformat() if one.ended else None,
                "waited_s": round(one.waited, 4),
                "worked_s": round(one.worked, 4),
                "outside_s": round(one.outside, 4),
                "failures": [failure.text for failure in one.failures],
            }
            for one in told
        ],
    }
