"""What customers are told of an order: each public status it comes to, by the event that leads there."""

from __future__ import annotations

from orders.models import Order
from orders.process import ENDS, PROCESS, REFUSED_BY, WISH
from shipping.events import CancellationRefused
from shop.messaging.events import Event

PING = "webhook.ping"


def _kind(word: str) -> str:
    return f"order.{word}"


_TURNS_BACK: list[type[Event]] = [WISH, *REFUSED_BY]
KIND_OF: dict[type[Event], str] = {
    **{step.done: _kind(step.status) for step in PROCESS if step.status},
    **{event: _kind(Order.Status.CANCELLING) for event in _TURNS_BACK},
    **{event: _kind(end) for end, event in ENDS.items()},
    CancellationRefused: _kind("cancellation_refused"),
}
KINDS = tuple(dict.fromkeys(KIND_OF.values()))
