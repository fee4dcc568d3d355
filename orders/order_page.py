"""What the page of one order shows: where it is and why it waits, what happened, and where more about it is kept."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.urls import reverse

from orders import actions, trouble
from orders.drawing import draw
from orders.happenings import happenings
from orders.headline import badge, headline
from orders.live import order_pages
from orders.models import Order, Saga
from orders.process import awaited
from shipping.lookups import Labels
from shop.base.admin.buttons import may_change
from shop.base.admin.links import list_of, may_view
from shop.base.lookups import ask
from shop.base.money import show
from shop.base.spans import span

MOST_ENTRIES = 500  # of a timeline, on one page
MOST_ACTS = 50


def address_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def shown(request: HttpRequest, order: Order) -> dict[str, Any]:
    """What the template ``admin/orders/order/page.html`` is given; links lead only where this person may look."""
    version = order_pages.version(order.pk)  # before all else: what changes from here on, the stream tells
    around = trouble.elsewhere()
    now, saga = around.now, order.saga
    timeline = list(order.timeline.all()[: MOST_ENTRIES + 1])
    events = {entry.event_id: entry for entry in timeline}
    findings = trouble.why_it_waits(order, around)
    head = headline(order, timeline, findings)
    return {
        "title": f"Order {order.number}",
        "subtitle": None,
        "version": version,
        "order": order,
        "saga": saga,
        "age": span(now - order.placed_at),
        "took": span(order.ended_at - order.placed_at) if order.ended_at else "",
        "deadline": span(abs(saga.deadline - now)) if saga.deadline else "",
        "deadline_passed": bool(saga.deadline and saga.deadline < now),
        "waits_for": "" if saga.state == Saga.State.ENDED else awaited(saga.position).service,
        "drawing": draw(happenings(saga, timeline, now), now),
        "timeline": [
            (entry, f"+{span(entry.at - order.placed_at)}", events.get(entry.cause) if entry.cause else None)
            for entry in timeline[:MOST_ENTRIES]
        ],
        "timeline_cut": len(timeline) > MOST_ENTRIES,
        "lines": [
            (
                line,
                show(line.price_minor, order.currency),
                show(line.price_minor * line.quantity, order.currency),
            )
            for line in order.lines.all()
        ],
        "badge": badge(order, around),
        "headline": head,
        "headline_rows": _rows_of(request, order, findings[0]),
        "findings": [(finding, _rows_of(request, order, finding)) for finding in findings[1:]],
        "acts": _acts(order),
        "elsewhere": _elsewhere(request, order),
        "labels": _labels(request, order),
        "may_operate": may_change(request, Order),
        "buttons": actions.buttons(order, head.level) if may_change(request, Order) else [],
    }


def _rows_of(request: HttpRequest, order: Order, finding: trouble.Finding) -> str:
    """Where the rows are that a finding is about."""
    if not finding.table or not may_view(request, finding.service, finding.table):
        return ""
    return list_of(finding.service, finding.table, order_id=str(order.uuid))


def _elsewhere(request: HttpRequest, order: Order) -> list[tuple[str, str]]:
    """(name, address) of what the services keep of this order; only what this person may see."""
    of_order = {"order_id": str(order.uuid)}
    places = [
        ("Payment", "payments", "payment", of_order),
        ("Reserved stock", "inventory", "reservation", of_order),
        ("Shipment", "shipping", "shipment", of_order),
        ("Parcels", "shipping", "parcel", {"q": str(order.uuid)}),
        ("Notifications", "notifications", "notification", of_order),
        ("Mails", "notifications", "mail", {"q": str(order.uuid)}),
    ]
    return [
        (name, list_of(app, model, **query))
        for name, app, model, query in places
        if may_view(request, app, model)
    ]


def _acts(order: Order) -> list[dict[str, Any]]:
    """What people have done to it here and what they have noted, the latest first."""
    kind = ContentType.objects.get_for_model(Order)
    acts = LogEntry.objects.filter(content_type=kind, object_id=str(order.pk)).select_related("user")
    found = []
    for act in acts.order_by("-action_time")[:MOST_ACTS]:
        said = act.get_change_message()
        text = said.removeprefix(actions.NOTE)
        found.append({"at": act.action_time, "user": act.user, "text": text, "is_note": text != said})
    return found


def _labels(request: HttpRequest, order: Order) -> list[tuple[str, str]]:
    """(what it is for, address of the PDF) of each label of the order."""
    if not may_view(request, "shipping", "parcel"):
        return []
    found = ask(Labels, [order.uuid]).get(order.uuid)
    return [
        (
            f"{tracking} from {warehouse}",
            reverse("admin:shipping_parcel_label_of", args=[order.uuid, warehouse]),
        )
        for warehouse, tracking in (found.tracking.items() if found else ())
    ]
