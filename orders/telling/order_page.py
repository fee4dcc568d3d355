"""What the page of one order shows: where it is and why it waits, what happened, and where more about it is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.urls import reverse

from orders.models import Order, OrderLine, Saga
from orders.process import awaited
from orders.staff import actions
from orders.telling import trouble
from orders.telling.ahead import happenings
from orders.telling.drawing import draw
from orders.telling.headline import headline
from orders.telling.live import order_pages
from orders.telling.places import labels, places
from orders.telling.situation import Situation, badge, elsewhere, situation
from orders.telling.step_details import details
from orders.telling.steps import rows
from orders.telling.story import parcels_of, timeline_of
from shop.base.admin.buttons import may_change
from shop.base.admin.links import list_of, may_view
from shop.base.money import show
from shop.base.spans import ago, span, until

MOST_LINES = 50  # of the order; more if asked for
MOST_ACTS = 50


def address_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def shown(request: HttpRequest, order: Order) -> dict[str, Any]:
    """What the template ``admin/orders/order/page.html`` is given; links lead only where this person may look."""
    version = order_pages.version(order.pk)  # before all else: what changes from here on, the stream tells
    around = elsewhere()
    now, saga = around.now, order.saga
    timeline, is_cut = timeline_of(order)
    findings = trouble.why_it_waits(order, around)
    parcels = parcels_of(order)
    found = happenings(order, timeline, around, parcels)
    acts = _acts(order)
    ended = saga.state == Saga.State.ENDED
    stands = situation(order, around)
    is_moving = stands in (Situation.MOVING, Situation.UNDOING, Situation.QUEUEING)
    may_operate = may_change(request, Order)
    return {
        "title": f"Order {order.number}",
        "subtitle": None,
        "version": version,
        "order": order,
        "saga": saga,
        "age": span(now - order.placed_at),
        "took": span(order.ended_at - order.placed_at) if order.ended_at else "",
        "looked_after": _looked_after(saga, stands, now),
        "waits_for": "" if ended else awaited(saga.position).service,
        "is_moving": is_moving,
        "drawing": draw(
            found, now, [(act.action_time, f"{act.user}: {act.get_change_message()}") for act in acts]
        ),
        "steps": list(rows(found, order.placed_at)),
        "timeline_cut": is_cut,
        "step": details(request, order, found, timeline, request.GET.get("after", "")),
        **_lines(request, order),
        "badge": badge(order, around),
        "headline": headline(order, timeline, findings),
        "headline_rows": _rows_of(request, order, findings[0]),
        "findings": [(finding, _rows_of(request, order, finding)) for finding in findings[1:]],
        "acts": [_told(act) for act in acts],
        "elsewhere": places(request, order),
        "labels": labels(request, order, parcels),
        "may_operate": may_operate,
        "buttons": actions.buttons(order, stands) if may_operate else [],
    }


def _looked_after(saga: Saga, stands: Situation, now: datetime) -> str:
    """When somebody looks after an order that does not get on."""
    if stands == Situation.PROVIDER_AWAY:
        return "once the provider answers"
    if not saga.deadline:
        return "not by itself"
    by = ago(saga.deadline, now) if saga.deadline < now else until(saga.deadline, now)
    return f"{saga.deadline:%H:%M:%S} UTC, {by}"


def _lines(request: HttpRequest, order: Order) -> dict[str, Any]:
    """Those that are shown, with price and amount, and how many there are."""
    lines: list[OrderLine] = list(order.lines.all())
    few = lines if "lines" in request.GET else lines[:MOST_LINES]
    return {
        "lines": [
            (
                line,
                show(line.price_minor, order.currency),
                show(line.price_minor * line.quantity, order.currency),
            )
            for line in few
        ],
        "line_count": len(lines),
        "more_lines": len(lines) - len(few),
    }


def _rows_of(request: HttpRequest, order: Order, finding: trouble.Finding) -> str:
    """Where the rows are that a finding is about."""
    if not finding.table or not may_view(request, finding.service, finding.table):
        return ""
    return list_of(finding.service, finding.table, order_id=str(order.uuid))


def _acts(order: Order) -> list[LogEntry]:
    """What people have done to it here, the latest first."""
    kind = ContentType.objects.get_for_model(Order)
    acts = LogEntry.objects.filter(content_type=kind, object_id=str(order.pk)).select_related("user")
    return list(acts.order_by("-action_time")[:MOST_ACTS])


def _told(act: LogEntry) -> dict[str, Any]:
    """A note without the word for it, as it looks like one."""
    said = act.get_change_message()
    text = said.removeprefix(actions.NOTE)
    return {"at": act.action_time, "user": act.user, "text": text, "is_note": text != said}
