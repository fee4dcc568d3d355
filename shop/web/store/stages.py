"""An order as its customer reads it: the stages it goes through, and one sentence on top that says where it stands.

Derived from ``orders/process.py``: a step of which nothing is said here is shown under its own name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory.events import InventoryRejected, InventoryReleased, InventoryReserved, StockDispatched
from notifications.events import CancellationNoticeSent, ConfirmationSent
from orders.api.waiting import waiting
from orders.events import OrderCancelled, OrderCompleted, OrderCreated
from orders.models import BY, Order, Saga, TimelineEntry
from orders.process import BACKWARD, FORWARD, MIRROR, PROCESS, REFUSED_BY, REQUESTED, WISH, Move, awaited
from payments.events import PaymentFailed, PaymentProcessed, PaymentRefunded
from shipping.events import (
    CancellationRefused,
    OrderShipped,
    ParcelsLabelled,
    ShippingFailed,
    ShippingStopped,
)
from shop.base.money import show
from shop.messaging.events import Event

# What is said of a stage once it is reached. {total}, {refunded}, {card}: the order's.
WORDS: dict[type[Event], tuple[str, str]] = {
    OrderCreated: ("Placed", "We have your order."),
    InventoryReserved: ("Reserved", "Your products are set aside for you."),
    PaymentProcessed: ("Paid", "{total} was charged to your {card}."),
    ParcelsLabelled: ("Packed", ""),
    OrderShipped: ("On its way", "The carrier has your parcels."),
    ConfirmationSent: ("Mail sent", "We have written to you, with the tracking numbers."),
    OrderCompleted: ("Completed", "Everything is done. Thank you for your order."),
    ShippingStopped: ("Parcels held back", "They do not leave."),
    PaymentRefunded: ("Money given back", "{refunded} was given back to your {card}."),
    InventoryReleased: ("Products put back", "They are on the shelf again."),
    OrderCancelled: ("Cancelled", ""),
    CancellationNoticeSent: ("Mail sent", "We have written to you that it is cancelled."),
}
# What a refusal is called, why it was ({reason}: as the service noted it), and what the customer can do.
REFUSALS: dict[type[Event], tuple[str, str, str]] = {
    InventoryRejected: (
        "Sold out",
        "Not enough in stock: {products}.",
        "You can order less of it, or do without it.",
    ),
    PaymentFailed: ("Payment refused", "{reason}.", "You can order again and pay with another card."),
    ShippingFailed: (
        "Delivery refused",
        "The carrier refused it: {reason}.",
        "You can order to another address.",
    ),
}
UNSAID = (StockDispatched,)  # it says nothing that “on its way” does not
MOVES: tuple[Move, ...] = (*PROCESS, *MIRROR)
EVENTS: tuple[type[Event], ...] = (*(move.done for move in MOVES), *REFUSED_BY, WISH, CancellationRefused)
TOLD = {event.__name__ for event in EVENTS}


@dataclass(frozen=True)
class Facts:
    """``told``: by event, when it was noted. ``products``: their names, by SKU. ``refunded_minor``: what the payment
    provider gave back."""

    told: Mapping[str, TimelineEntry]
    products: Mapping[str, str]
    tracking: Sequence[str]
    refunded_minor: int
    card: str

    def has(self, event: type[Event]) -> bool:
        return event.__name__ in self.told


@dataclass(frozen=True)
class Stage:
    """``state``: done, now, late, next, refused or undone."""

    state: str
    title: str
    text: str = ""
    at: datetime | None = None
    parcels: Sequence[str] = ()


@dataclass(frozen=True)
class Summary:
    """``level``: done, now, late or undo. ``pill``: two words; then the sentence that counts, and the rest."""

    level: str
    pill: str
    first: str
    rest: str = ""


def told_of(order: Order) -> dict[str, TimelineEntry]:
    """What the timeline says of the stages; of each the first word. However often something failed, it is short."""
    found: dict[str, TimelineEntry] = {}
    for entry in TimelineEntry.objects.filter(order=order, event__in=TOLD):
        found.setdefault(entry.event, entry)
    return found


def summary(order: Order, facts: Facts) -> Summary:
    saga = order.saga
    if saga.state == Saga.State.ENDED:
        return _cancelled(order, facts) if saga.undo else _completed(order, facts)
    asked = waiting(order, for_staff=False) or {}
    first, trouble = _meanwhile(saga, facts) or asked["text"], asked["trouble"]
    level = "late" if trouble else "undo" if saga.undo else "now"
    pill = "Needs a look" if saga.state in Saga.WAIT_FOR_A_PERSON else "Takes longer" if trouble else ""
    late = "You asked to cancel it, but your parcels could not be held back any more. "
    asked_for = "Should your parcels turn out to have left already, the order goes on. "
    more = late if order.cancellation_refused else asked_for if saga.undo == REQUESTED else ""
    return Summary(
        level,
        pill or ("Being cancelled" if saga.undo else "Under way"),
        first,
        f"{more}{f'{trouble} ' if trouble else ''}You don't have to do anything.",
    )


def _completed(order: Order, facts: Facts) -> Summary:
    parcels = "parcels are" if len(facts.tracking) > 1 else "parcel is"
    late = (
        " You asked to cancel it, but it could not be held back any more."
        if order.cancellation_refused
        else ""
    )
    return Summary(
        "done", "Completed", f"Your {parcels} on the way to you.", f"There is nothing left to do.{late}"
    )


def _cancelled(order: Order, facts: Facts) -> Summary:
    reason, refused = order.saga.reason, next((event for event in REFUSALS if facts.has(event)), None)
    if reason.startswith(BY):
        first = "You cancelled it." if reason == f"{BY}customer" else "The shop cancelled it."
    else:
        first = _why(refused, facts) if refused else f"{reason or 'It could not be fulfilled'}."
    given = f"{show(facts.refunded_minor, order.currency)} was given back."
    money = given if facts.refunded_minor else "Nothing was charged."
    advice = REFUSALS[refused][2] if refused else ""
    return Summary("undo", "Cancelled", first, f"{money} {advice}".strip())


def _why(refused: type[Event], facts: Facts) -> str:
    """What the service noted, such as “refused, out of stock: MUG-RED”, in a sentence."""
    _, _, reason = facts.told[refused.__name__].text.partition(": ")
    products = ", ".join(facts.products.get(sku, sku) for sku in reason.split(", "))
    return REFUSALS[refused][1].format(reason=reason.rstrip("."), products=products)


def _meanwhile(saga: Saga, facts: Facts) -> str:
    """What is said while an undo that has nothing to undo is at its turn; else nothing."""
    move = awaited(saga.position)
    nothing = saga.undo and move in MIRROR and not _has_effect(move, facts) and PROCESS[0].undo
    return nothing.meanwhile if nothing else ""


# --- The stages, in their sequence ------------------------------------------------------------------------------------


def stages(order: Order, facts: Facts) -> list[Stage]:
    """The way there; of an order that is being undone only what happened, and then the way back."""
    saga = order.saga
    ended = saga.state == Saga.State.ENDED  # noted a moment before the last event is
    reached = FORWARD.index(FORWARD[-1] if ended else saga.step) if saga.step in FORWARD else 0
    steps = [step for step in PROCESS if step.done not in UNSAID]
    done = [
        step
        for step in steps
        if step is PROCESS[0]
        or facts.has(step.done)
        or (FORWARD.index(step.position) <= reached and not saga.undo)
    ]
    found = [_done(step, order, facts) for step in done]
    if not saga.undo:
        return found + _ahead([step for step in steps if step not in done], order)
    back = [move for move in MIRROR if _has_effect(move, facts)]
    gone = BACKWARD.index(saga.undo) if saga.undo in BACKWARD else 0
    undone = [move for move in back if facts.has(move.done) or BACKWARD.index(move.position) <= gone]
    wish = facts.told.get(WISH.__name__)
    later = [
        stage for stage in found if wish and stage.at and stage.at > wish.at
    ]  # done before it was heard of
    before = [stage for stage in found if stage not in later]
    found = [*before, *_turned(order, facts), *later, *(_done(move, order, facts) for move in undone)]
    return found + _ahead([move for move in back if move not in undone], order)


def _done(move: Move, order: Order, facts: Facts) -> Stage:
    title, text = WORDS.get(move.done, (move.words.capitalize(), ""))
    given = show(facts.refunded_minor, order.currency)
    entry = facts.told.get(move.done.__name__)
    moments: dict[Move, datetime | None] = {PROCESS[0]: order.placed_at, PROCESS[-1]: order.ended_at}
    return Stage(
        "undone" if move in MIRROR else "done",
        title,
        text.format(total=order.total, refunded=given, card=facts.card),
        entry.at if entry else moments.get(move),
        facts.tracking if move.done is ParcelsLabelled else (),
    )


def _ahead(moves: Sequence[Move], order: Order) -> list[Stage]:
    """What is at its turn, and what comes after it."""
    if order.saga.state == Saga.State.ENDED:
        return []
    late = order.saga.attempt or order.saga.last_error or order.saga.state in Saga.WAIT_FOR_A_PERSON
    titles = [WORDS.get(move.done, (move.words.capitalize(), ""))[0] for move in moves]
    states = ["late" if late else "now", *("next" for _ in moves[1:])]
    texts = [moves[0].meanwhile, *("" for _ in moves[1:])] if moves else []
    return [Stage(*stage) for stage in zip(states, titles, texts, strict=False)]


def _turned(order: Order, facts: Facts) -> Iterator[Stage]:
    """Where it turned back: a refusal, or somebody's wish."""
    for event, (title, _, _) in REFUSALS.items():
        if facts.has(event):
            yield Stage("refused", title, _why(event, facts), facts.told[event.__name__].at)
    if facts.has(WISH):
        entry = facts.told[WISH.__name__]
        yield Stage("undone", "Cancellation asked for", "", entry.at)


def _has_effect(move: Move, facts: Facts) -> bool:
    """Whether this undo takes something back that had been done; the last ones are there always."""
    undone = [step for step in PROCESS[1:] if step.undo == move]
    paid_back = move.done is PaymentRefunded and facts.refunded_minor > 0
    return paid_back or not undone or any(facts.has(step.done) for step in undone)
