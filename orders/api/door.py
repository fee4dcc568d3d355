"""Where requests for orders come in: those of the same moment are placed in one transaction, each with its own answer."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orders.admission import RETRY_AFTER
from orders.admission import door as admission
from orders.models import Order
from orders.placement import Answer, NotNow, PlaceOrder, is_known, place_orders
from shop.base.api.together import Together
from shop.base.databases import unasked
from shop.messaging import origins

# s between two sets when many come, and the longest that one waits for others. Small sets are what costs the shop
# most, here and all the way to the end of their orders.
EVERY = 0.04


def place(request: PlaceOrder) -> Answer | NotNow:
    """Place an order, together with those that other threads of this process place just now.

    While the door is shut only what was accepted before is answered, as ever.

    Raises:
        django.db.DataError: its total is more than the database can count.
        django.db.OperationalError: the database is away.
    """
    if admission.shut() and not is_known(request):
        return NotNow(RETRY_AFTER)
    return _door.ask(msgspec.structs.replace(request, request=origins.request() or ""))


def _place_all(requests: Sequence[PlaceOrder]) -> list[Answer]:
    """By their keys no order is placed twice."""
    return unasked(Order, lambda: _place(requests))


def _place(requests: Sequence[PlaceOrder]) -> list[Answer]:
    """A key stands only once in a set: who has the same as another comes in the next one.

    All sets take their keys in the same sequence: else two processes that are sent the same ones could each wait for
    the other.
    """
    answers: dict[int, Answer] = {}
    while rest := [number for number in range(len(requests)) if number not in answers]:
        turn = {_key(requests[number]): number for number in reversed(rest)}
        numbers = [turn[key] for key in sorted(turn)]
        answers.update(zip(numbers, place_orders([requests[number] for number in numbers]), strict=True))
    return [answers[number] for number in range(len(requests))]


def _key(request: PlaceOrder) -> tuple[int, str]:
    return request.customer_id, request.idempotency_key


_door: Together[PlaceOrder, Answer] = Together(_place_all, every=EVERY)
