"""What staff can do about an order, each with its result as a sentence; and what of it helps where an order stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models.functions import Now
from django.urls import reverse

from orders import saga as sagas
from orders import services
from orders.events import OrderStalled
from orders.models import Order, Saga
from orders.process import MIRROR, PROCESS, Move, awaited, still_to_do
from orders.services import Cancellation
from orders.staff.corrections import CORRECTIONS, Correction, correct, helping, too_late
from orders.telling.situation import Situation
from shop.base.admin.buttons import Result
from shop.base.effects import Effects, foreseen, together
from shop.base.holds import InUse
from shop.messaging.outbox import of_orders
from shop.messaging.reach import only_holding_up, within_reach
from shop.messaging.tables import inbox_of

STAFF = "staff"
NOTE = "Note: "  # begins what is kept about one
A_DOUBLE_CLICK = timedelta(seconds=3)
LEVELS = {
    Cancellation.REQUESTED: messages.SUCCESS,
    Cancellation.ALREADY_CANCELLED: messages.INFO,
    Cancellation.SHIPPED: messages.ERROR,
}
DOUBTFUL = (
    "But the order went on at that very moment: it was stopped, or this took too long. Look what the step that needs it "
    "has used."
)
NOTHING_TO_TRY = {
    Situation.COMPLETED,
    Situation.CANCELLED,
    Situation.MOVING,
    Situation.UNDOING,
    Situation.QUEUEING,
}
AWAY = Effects((), ("What it would do can't be said: a database is away.",))
ENDED = Result(messages.INFO, "Nothing was done: it is at its end.")


@dataclass(frozen=True)
class Button:
    """``kind``: first (it helps now), danger (it asks before), or plain. ``acts``: it acts at once; else it leads on."""

    address: str
    text: str
    kind: str = "plain"
    acts: bool = False
    hint: str = ""


def buttons(order: Order, found: Situation) -> list[Button]:
    """What may be pressed on an order's page, the most helpful first. ``found``: how it stands with it."""
    saga, shown = order.saga, []
    helps = helping(order) if found == Situation.PARKED else ""

    def address(name: str) -> str:
        return reverse(f"admin:orders_order_{name}", args=[order.pk])

    def correcting(name: str, kind: str) -> Button:
        return Button(address(name), f"{CORRECTIONS[name].button}…", kind)

    if helps:  # as what was tried again and again failed
        shown.append(correcting(helps, "first"))
    if found not in NOTHING_TO_TRY:
        steps = " and ".join(in_words(move) for move in steps_now([order])[order.pk])
        in_vain = helps or found == Situation.PROVIDER_AWAY
        kind = "plain" if in_vain else "first"
        shown.append(Button(address("retry"), f"Try again: {steps}…", kind))
        hint = "All that is open for this order is tried now, in every service."
        shown.append(Button(address("resume"), "Resume now", acts=True, hint=hint))
    shown += [
        correcting(name, "plain")
        for name, correction in CORRECTIONS.items()
        if name != helps and not too_late(correction, saga)
    ]
    shown.append(Button("#note", "Note"))
    if not order.too_late_to_cancel and order.status != Order.Status.CANCELLING:
        shown.append(Button(address("cancel"), "Cancel order…", "danger"))
    return shown


def in_words(move: Move) -> str:
    """An operation for people: take payment."""
    return move.operation.partition(".")[2].replace("_", " ")


def cancel(order: Order) -> Result:
    answer = services.request_cancellation(order.uuid, by=STAFF)
    if answer == Cancellation.REQUESTED:  # the page tells what comes of it, and this stays beside that
        return Result(LEVELS[answer], "Its cancellation is asked for.", "Asked for a cancellation.")
    return Result(LEVELS[answer], answer.value, f"Asked for a cancellation. {answer.value}")


def resume(order: Order) -> Result:
    """Have all that is open for the order tried now, in every service."""
    if not sagas.resume([order.uuid]):
        return ENDED
    return Result(messages.SUCCESS, "It is taken up again now.", "Resumed.")


def retry(order: Order) -> Result:
    """Have just the step that it waits for tried again, now."""
    moves = steps_now([order])[order.pk]
    if not moves:
        return ENDED
    steps = " and ".join(in_words(move) for move in moves)
    if _retried_just_now(order.uuid):
        return Result(messages.INFO, f"It is being tried again already: {steps}.")
    if not sagas.retry(order.uuid, [move.operation for move in moves], by=STAFF):
        return ENDED
    return Result(messages.SUCCESS, f"It is tried again now: {steps}.", f"Tried again: {steps}.")


def corrected(correction: Correction, order: Order, values: Mapping[str, str]) -> Result:
    """Of what was there before and is now nothing is kept but which fields it was: it is personal data."""
    try:
        changed, doubtful = correct(correction, order, values)
    except InUse as why:
        return Result(messages.ERROR, f"The {correction.what} stays as it is. {why}")
    if not changed:
        return Result(messages.INFO, f"The {correction.what} was so already.")
    fields = ", ".join(name_of(name) for name in changed)
    done = f"Corrected the {correction.what}" + ("." if fields == correction.what else f": {fields}.")
    if doubtful:
        return Result(messages.ERROR, f"The {correction.what} is corrected. {DOUBTFUL}", done)
    order.saga.refresh_from_db()
    if not (order.saga.attempt or order.saga.last_error):
        return Result(messages.SUCCESS, f"The {correction.what} is corrected.", done)
    again = retry(order)
    return Result(
        messages.SUCCESS, f"The {correction.what} is corrected. {again.text}", f"{done} {again.act}".strip()
    )


def name_of(field: str) -> str:
    """What a field of orders is called."""
    return str(getattr(Order._meta.get_field(field), "verbose_name", field))


def _retried_just_now(order_id: UUID) -> bool:
    events = of_orders("orders", [order_id]).filter(type=OrderStalled.__name__, payload__by=STAFF)
    return events.filter(created_at__gt=Now() - A_DOUBLE_CLICK).exists()


def steps_now(orders: Sequence[Order]) -> dict[int, list[Move]]:
    """By order: the steps that it waits for, or fails at, in their sequence; several where they go side by side."""
    failing = _failing([order.uuid for order in orders if order.saga.state != Saga.State.ENDED])
    found: dict[int, list[Move]] = {}
    for order in orders:
        moves = [move for move in still_to_do(order.saga.position) if move.operation in failing[order.uuid]]
        waits = order.saga.state != Saga.State.ENDED
        found[order.pk] = moves or ([awaited(order.saga.position)] if waits else [])
    return found


def _failing(order_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """Which receivers have failed at something of these orders, and not handled it since."""
    found: dict[UUID, set[str]] = defaultdict(set)
    for service in within_reach(settings.SERVICES) if order_ids else ():
        table = inbox_of(service)
        with only_holding_up(service):
            rows = table._default_manager.filter(order_id__in=order_ids).exclude(state=table.State.DONE)
            for order_id, receiver in rows.values_list("order_id", "receiver"):
                found[order_id].add(receiver)
    return found


def forecast(orders: Sequence[Order]) -> list[tuple[Order, str, Effects]]:
    """(order, what would run, what that would do outside) if the step that each waits for were tried again now.

    With what is recorded of all its steps: it is done, whatever runs.
    """
    moves = steps_now(orders)
    found: dict[int, list[Effects]] = defaultdict(list)
    for move in (*PROCESS, *MIRROR):
        concerned = [order for order in orders if move not in MIRROR or order.saga.undo]
        told: dict[UUID, Effects] = {}
        with only_holding_up(move.service):
            told = foreseen(move.operation, [order.uuid for order in concerned])
        for order in concerned:
            effects = told.get(order.uuid, AWAY)
            found[order.pk].append(effects if move in moves[order.pk] else Effects(effects.recorded))
    return [(order, _runs(moves[order.pk]), together(found[order.pk])) for order in orders]


def _runs(moves: Sequence[Move]) -> str:
    return ", ".join(f"{move.service}: {in_words(move)}" for move in moves) or "nothing: it is at its end"
