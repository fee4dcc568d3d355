"""What the control room's template is given. Whoever looks is shown, and led to, only what he or she may view."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string

from orders.models import Order
from orders.process import ENDS
from orders.telling.situation import TROUBLE, WAITING
from orders.telling.trouble import ATTENTION
from shop.base.admin.cells import NOTHING
from shop.base.admin.links import may_view
from shop.base.spans import span
from shop.web.control import charts
from shop.web.control.attention import concerns, many
from shop.web.control.flight import Flight
from shop.web.control.flow import MINUTE, PLACED, Flow
from shop.web.control.home import BOXES
from shop.web.control.links import List, between, ended, in_flight, orders
from shop.web.control.numbers import Numbers
from shop.web.control.services import rows as rows_of_services
from shop.web.control.services import rows_of_steps
from shop.web.control.steps import LATELY

SEEN = [("orders", "order"), *((service, box.lower()) for service in settings.SERVICES for box in BOXES)]
DONE, UNDONE = Order.Status.COMPLETED, Order.Status.CANCELLED


class Shown(NamedTuple):
    """A number as it is shown. ``address``: of the list behind it."""

    text: str
    address: str = ""
    level: str = ""


class Card(NamedTuple):
    """One of the numbers on top. ``chart``: the series drawn below it, which ``drawn`` says in words."""

    title: str
    number: Shown
    unit: str
    notes: Sequence[Shown]
    chart: str
    drawn: str


class Viewer:
    """Who looks."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def number(self, count: int, about: List, *, level: str = "", more: str = "") -> Shown:
        """``level``: its colour; 0 has one of its own. ``more``: words behind it."""
        address = about.seen_by(self._request)
        if not address and not may_view(self._request, about.app, about.model):
            return Shown(NOTHING)
        return Shown(f"{count:,}{more}", address, level if count else "zero")

    def words(self, text: str, about: List) -> Shown:
        """What is told of rows, which lead to them."""
        return Shown(text, about.seen_by(self._request))

    def in_flower(self, text: str, page: str) -> Shown:
        """What Flower shows more of, where it is known where that is."""
        return Shown(text, f"{settings.FLOWER_URL}/{page}" if settings.FLOWER_URL else "")

    def may(self, app: str, model: str) -> bool:
        return may_view(self._request, app, model)


class Rooms:
    """The room as HTML: drawn once for all who may see the same, however many look."""

    def __init__(self) -> None:
        self._drawn: tuple[Numbers | None, dict[frozenset[tuple[str, str]], str]] = (None, {})

    def of(self, request: HttpRequest, numbers: Numbers) -> str:
        known, pages = self._drawn
        if known is not numbers:
            self._drawn = (numbers, pages := {})
        seen = frozenset(one for one in SEEN if may_view(request, *one))
        if seen not in pages:
            pages[seen] = render_to_string("admin/shop/control/room.html", {"room": shown(request, numbers)})
        return pages[seen]


rooms = Rooms()


def shown(request: HttpRequest, numbers: Numbers) -> dict[str, Any]:
    viewer = Viewer(request)
    found = [
        (concern, concern.about.seen_by(request) if concern.about else "")
        for concern in concerns(numbers)
        if not concern.about or viewer.may(concern.about.app, concern.about.model)
    ]
    levels = {concern.level for concern, _ in found}
    context: dict[str, Any] = {
        "at": numbers.at,
        "concerns": found,
        "verdict": many(len(found), "thing", verb=False) + " to look at" if found else "nothing to do",
        "level": TROUBLE if TROUBLE in levels else WAITING if found else "done",
        "services": rows_of_services(viewer, numbers),
        "styles": settings.STYLES,
        "steps": rows_of_steps(viewer, numbers),
    }
    if numbers.flight and numbers.flow:
        flight, flow = numbers.flight, numbers.flow
        context |= {
            "cards": _cards(viewer, flight, flow),
            "kinds": [
                (words, viewer.number(flight.kinds[kind], orders(attention=kind), level=_level(kind)))
                for kind, words in ATTENTION.items()
            ],
            "lately": orders(**between("placed_at", flow.now - LATELY, flow.now)).seen_by(request),
            "standing": _standing(viewer, flight, flow),
            "charts": charts.series(numbers),
            "minutes": [
                (when, [viewer.number(count, about) for count, about in row])
                for when, row in charts.minutes(flow)
            ],
        }
    return context


def _level(kind: str) -> str:
    return {"resting": WAITING, "retrying": WAITING, "undoing": "undone"}.get(kind, TROUBLE)


def _cards(viewer: Viewer, flight: Flight, flow: Flow) -> Sequence[Card]:
    kinds, hour, minute = flight.kinds, (flow.since, flow.now), (flow.now - MINUTE, flow.now)
    took = flow.took.get(("", DONE))
    return [
        Card(
            "Fulfilled",
            viewer.number(flow.lately.get(DONE, 0), ended(DONE, *minute), level="done"),
            "in the last minute",
            [
                viewer.number(flow.of(DONE), ended(DONE, *hour), more=" in the last hour"),
                *([viewer.words(_p50_p95(took), ended(DONE, *hour))] if took else []),
            ],
            DONE,
            "Completed orders in each of the last 60 minutes",
        ),
        Card(
            "In flight",
            viewer.number(flight.count, in_flight()),
            "now",
            [viewer.words(f"oldest {span(flight.oldest)}", in_flight())]
            if flight.oldest is not None
            else [Shown("none waits")],
            "in_flight",
            "Orders under way in each of the last 60 minutes",
        ),
        Card(
            "Need a person",
            viewer.number(kinds["parked"], orders(attention="parked"), level=TROUBLE),
            "now",
            [
                viewer.number(kinds["silent"], orders(attention="silent"), level=TROUBLE, more=" silent"),
                viewer.number(kinds["overdue"], orders(attention="overdue"), level=TROUBLE, more=" overdue"),
            ],
            "waiting",
            "Those of now, by when they last came further",
        ),
        Card(
            "Being undone",
            viewer.number(kinds["undoing"], orders(attention="undoing"), level="undone"),
            "now",
            [viewer.number(flow.of(UNDONE), ended(UNDONE, *hour), more=" cancelled in the last hour")],
            UNDONE,
            "Cancelled orders in each of the last 60 minutes",
        ),
    ]


def _standing(viewer: Viewer, flight: Flight, flow: Flow) -> Sequence[tuple[str, Sequence[Shown]]]:
    """Rows of the table of orders by state and style."""
    hour = (flow.since, flow.now)
    rows: list[tuple[str, Sequence[Shown]]] = [
        (
            "placed, last hour",
            [
                viewer.number(flow.of(PLACED, style), orders(style=style, **between("placed_at", *hour)))
                for style in settings.STYLES
            ],
        )
    ]
    for status in Order.Status:
        if status not in ENDS or flight.of(status=status):
            cells = [
                viewer.number(
                    flight.of(style=style, status=status), in_flight(style=style, status__exact=status)
                )
                for style in settings.STYLES
            ]
            rows.append(
                (f"{status.label.lower()}, now" if status not in ENDS else f"{status}, being closed", cells)
            )
    for end in ENDS:
        cells = [
            viewer.number(flow.of(end, style), ended(end, *hour, style=style)) for style in settings.STYLES
        ]
        rows.append((f"{end}, last hour", cells))
    for index, name in enumerate(("p50", "p95")):
        cells = []
        for style in settings.STYLES:
            took = flow.took.get((style, DONE))
            of_style = ended(DONE, *hour, style=style)
            cells.append(viewer.words(_seconds(took[index]), of_style) if took else Shown(NOTHING))
        rows.append((f"until completed, {name}", cells))
    return rows


def _p50_p95(took: tuple[float, float]) -> str:
    return " · ".join(
        f"{name} {_seconds(seconds)}".replace(" ", "\N{NO-BREAK SPACE}")
        for name, seconds in zip(("p50", "p95"), took, strict=True)
    )


def _seconds(seconds: float) -> str:
    return span(timedelta(seconds=seconds))
