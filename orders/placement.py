"""Placing orders: the one door that the REST API and the importer share."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings

from inventory.lookups import Price
from orders.events import OrderCreated
from orders.lookups import DeliveryAddress
from orders.models import Order, OrderLine, Saga
from orders.saga import begun
from shop.base.lookups import ask
from shop.messaging.origins import requested_in
from shop.messaging.recording import recording
from shop.messaging.rows import insert

NOW = ("placed_at",)  # by the database's clock, as all that follows is due by it
STORED = tuple(
    field.attname
    for field in Order._meta.concrete_fields
    if not field.primary_key and field.attname not in NOW
)


class WantedLine(msgspec.Struct, frozen=True):
    """``price_minor``: a price agreed on elsewhere, such as on an invoice; None: the catalogue's."""

    sku: str
    quantity: int
    price_minor: int | None = None


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer asks for. ``style`` None: as the setting says at placement. ``request``: the id of the HTTP request
    that asks for it, if one does."""

    customer_id: int
    idempotency_key: str
    lines: list[WantedLine]
    currency: str
    payment_method: str
    email: str
    address: DeliveryAddress
    style: str | None = None
    request: str = ""

    def digest(self) -> str:
        """The same for the same content, whatever key it came with, and in which request."""
        content = msgspec.structs.asdict(self)
        del content["request"]
        return hashlib.sha256(msgspec.json.encode({**content, "idempotency_key": ""})).hexdigest()


@dataclass(frozen=True)
class Placed:
    """Accepted, now or (``again``) by an earlier request with the same key and content."""

    order: Order
    again: bool = False


@dataclass(frozen=True)
class KeyTaken:
    """The idempotency key belongs to another request of this customer."""


@dataclass(frozen=True)
class NotPlaceable:
    """Which line cannot be ordered, and why."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True)
class NotNow:
    """Nothing is taken just now: the shop has more to do than it can. Nothing was looked at. ``retry_after``: in s."""

    retry_after: int


Answer = Placed | KeyTaken | NotPlaceable


class Draft(NamedTuple):
    """An order that is placed if its key is free: then it gets its ``pk``. The lines: rows that want only that."""

    order: Order
    lines: list[dict[str, object]]


def place_orders(requests: Sequence[PlaceOrder]) -> list[Answer]:
    """Accept each order, with its event, or say what is wrong with it. All in one transaction, in the given sequence.

    An idempotency key may stand only once among the requests.
    """
    prices: Mapping[str, Price] = ask(Price, {line.sku for request in requests for line in request.lines})
    drafts = [(request, _draft(request, prices)) for request in requests]
    began = {draft.order.uuid: by.request for by, draft in drafts if isinstance(draft, Draft) and by.request}
    with requested_in(began):
        _store([draft for _, draft in drafts if isinstance(draft, Draft)])
    known = _placed_before([request for request, draft in drafts if not _placed(draft)])
    return [_answer(request, draft, known) for request, draft in drafts]


def _placed(draft: Draft | NotPlaceable) -> Order | None:
    return draft.order if isinstance(draft, Draft) and draft.order.pk else None


def _answer(
    request: PlaceOrder, draft: Draft | NotPlaceable, known: Mapping[tuple[int, str], Order]
) -> Answer:
    if order := _placed(draft):
        return Placed(order)
    key = (request.customer_id, request.idempotency_key)
    if isinstance(draft, NotPlaceable) and key not in known:
        return draft
    same = known[key].request_digest == request.digest()
    return Placed(known[key], again=True) if same else KeyTaken()


def _store(drafts: Sequence[Draft]) -> None:
    """Place those whose key is free. If the same request comes in twice at this moment, one waits here for the other."""
    if not drafts:
        return
    with recording("orders") as record:
        rows = [{name: getattr(order, name) for name in STORED} for order, _ in drafts]
        made = insert(Order, rows, once=True, now=NOW, returning=("uuid", "id", *NOW))
        known: dict[UUID, tuple[int, datetime]] = {uuid: (id, at) for uuid, id, at in made}
        placed = [draft for draft in drafts if draft.order.uuid in known]
        for order, _ in placed:
            (order.pk, order.placed_at), order._state.adding = known[order.uuid], False
        _begin([order for order, _ in placed])
        insert(OrderLine, [{"order_id": order.pk, **line} for order, lines in placed for line in lines])
        for order, lines in placed:
            record.publish(
                OrderCreated(
                    ref=order.ref,
                    currency=order.currency,
                    total_minor=order.total_minor,
                    line_count=len(lines),
                )
            )


def _begin(orders: Sequence[Order]) -> None:
    """All begin at the same moment: what holds for the first one's saga holds for all."""
    if orders:
        saga = begun(orders[0])
        shared = {"step": saga.step, "moved_at": saga.moved_at, "deadline": saga.deadline}
        insert(Saga, [{"order_id": order.pk, **shared} for order in orders])


def is_known(request: PlaceOrder) -> bool:
    """Whether the customer has sent something with this key before."""
    return bool(_placed_before([request]))


def _placed_before(requests: Sequence[PlaceOrder]) -> dict[tuple[int, str], Order]:
    """Not asked on the way of a new order: only its insertion can tell for sure that its key is free."""
    if not requests:
        return {}
    orders = Order.objects.filter(
        customer_id__in={request.customer_id for request in requests},
        idempotency_key__in={request.idempotency_key for request in requests},
    )
    return {(order.customer_id, order.idempotency_key): order for order in orders}


def _draft(request: PlaceOrder, prices: Mapping[str, Price]) -> Draft | NotPlaceable:
    for index, line in enumerate(request.lines):
        if line.sku not in prices:
            return NotPlaceable(index, "sku", f"There is no product {line.sku!r} on sale.")
        if prices[line.sku].currency != request.currency:
            wrong = f"{line.sku!r} is sold in {prices[line.sku].currency}, not in {request.currency}."
            return NotPlaceable(index, "sku", wrong)
    units = _merged(request, prices)
    total = sum(price * quantity for (_, price), quantity in units.items())
    if not total:
        return NotPlaceable(0, "sku", "The order comes to nothing: there would be nothing to pay.")
    lines: list[dict[str, object]] = [
        {"sku": sku, "name": prices[sku].name, "quantity": quantity, "price_minor": price}
        for (sku, price), quantity in units.items()
    ]
    return Draft(_order(request, total), lines)


def _order(request: PlaceOrder, total_minor: int) -> Order:
    return Order(
        customer_id=request.customer_id,
        style=request.style or settings.FULFILLMENT_STYLE,
        currency=request.currency,
        total_minor=total_minor,
        payment_method=request.payment_method,
        email=request.email,
        idempotency_key=request.idempotency_key,
        request_digest=request.digest(),
        **msgspec.structs.asdict(request.address),
    )


def _merged(request: PlaceOrder, prices: Mapping[str, Price]) -> Counter[tuple[str, int]]:
    """Units per (SKU, price): the same product twice in a request is one line of the order."""
    merged: Counter[tuple[str, int]] = Counter()
    for line in request.lines:
        price = prices[line.sku].price_minor if line.price_minor is None else line.price_minor
        merged[line.sku, price] += line.quantity
    return merged
