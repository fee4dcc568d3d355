"""The carrier as shipping sees it: what can be asked, what can be answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
from django.conf import settings

from shop.base.http import Client, Post, Reply
from shop.base.providers import Page, client_class, once_per_address, read_ledger
from shop.messaging.outcomes import Fault

HAND_OVER_AT_ONCE = 200  # keys in one request, well within the size of a body


class Address(msgspec.Struct, frozen=True):
    name: str
    line1: str
    city: str
    postcode: str
    country: str


class LabelRequest(msgspec.Struct, frozen=True):
    """``key`` is the parcel's, stored before the call; asking again with it makes no second label."""

    key: str
    order_number: str
    warehouse: str
    address: Address


class Label(msgspec.Struct, frozen=True):
    tracking: str


class LabelRefused(msgspec.Struct, frozen=True):
    reason: str


class Voided(msgspec.Struct, frozen=True):
    """No parcel leaves under this key, now or later."""


class TooLate(msgspec.Struct, frozen=True):
    """The parcel is in the carrier's hands."""


class HandedOver(msgspec.Struct, frozen=True):
    """The parcel is in the carrier's hands."""


class Movement(msgspec.Struct, frozen=True):
    """A row of the carrier's books. ``kind``: label, handover or void (perhaps without an order)."""

    id: int
    kind: str
    key: str
    order_number: str
    tracking: str
    at: str


class Carrier(Protocol):
    """Every call is plural. Its answers, by key, come in groups as the carrier gives them: a slow one holds up no other.

    Each key gets one answer; a fault is an answer too, never raised for one item.
    """

    def create_labels(
        self, requests: Sequence[LabelRequest]
    ) -> Iterator[dict[str, Label | LabelRefused | Fault]]: ...

    def void(self, keys: Sequence[str]) -> Iterator[dict[str, Voided | TooLate | Fault]]:
        """A key without a label is void too: a late label for it is refused ("voided")."""
        ...

    def hand_over(self, keys: Sequence[str]) -> Iterator[dict[str, HandedOver | Fault]]:
        """Handing over again changes nothing. A void or unknown key is a fault and holds up no other."""
        ...

    def ledger(self) -> Iterator[Movement]:
        """Everything that ever happened, oldest first. Raises Fault; NoBooks where none are kept."""
        ...


class _HandoverRefused(msgspec.Struct, frozen=True):
    keys: dict[str, str] = {}


class SandboxCarrier:
    """The carrier of shop/sandbox, over HTTP."""

    def __init__(self, base_url: str) -> None:
        self._client = Client(base_url, "The carrier", "shipping")

    def create_labels(
        self, requests: Sequence[LabelRequest]
    ) -> Iterator[dict[str, Label | LabelRefused | Fault]]:
        posts = {
            request.key: Post(
                "/v1/labels", _label_body(request), request.key, msgspec.structs.astuple(request.address)
            )
            for request in requests
        }
        return self._client.post_each(posts, _labelled)

    def void(self, keys: Sequence[str]) -> Iterator[dict[str, Voided | TooLate | Fault]]:
        posts = {key: Post("/v1/labels/void", {"key": key}) for key in keys}
        return self._client.post_each(posts, _voided)

    def hand_over(self, keys: Sequence[str]) -> Iterator[dict[str, HandedOver | Fault]]:
        """The carrier takes all keys of a request or none: it is asked again without those it names."""
        keys = list(dict.fromkeys(keys))
        starts = range(0, len(keys), HAND_OVER_AT_ONCE)
        requests = [keys[start : start + HAND_OVER_AT_ONCE] for start in starts]
        while requests:
            asked = {some[0]: some for some in requests}
            posts = {first: Post("/v1/handovers", {"keys": some}) for first, some in asked.items()}
            requests = []
            for replies in self._client.post_each(posts, lambda reply: reply):
                answers: dict[str, HandedOver | Fault] = {}
                for first, reply in replies.items():
                    answers |= _handed_over(asked[first], reply)
                    if left := [key for key in asked[first] if key not in answers]:
                        requests.append(left)
                yield answers

    def ledger(self) -> Iterator[Movement]:
        return read_ledger(self._client, Page[Movement])


def _label_body(request: LabelRequest) -> object:
    return {
        "order_number": request.order_number,
        "warehouse": request.warehouse,
        "address": request.address,
    }


def _labelled(reply: Reply) -> Label | LabelRefused:
    if reply.status == 200:
        return reply.read(Label)
    if reply.status == 422:
        return LabelRefused(reply.repeated(reply.read(dict[str, str]).get("refused", "no reason given")))
    raise reply.fault()


def _voided(reply: Reply) -> Voided | TooLate:
    if reply.status == 200:
        return Voided()
    if reply.status == 409 and reply.read(dict[str, object]).get("too_late") is True:
        return TooLate()
    raise reply.fault()


def _handed_over(keys: Sequence[str], reply: Reply | Fault) -> dict[str, HandedOver | Fault]:
    """What is known of the keys of a request: all of it; or which of them can't be handed over, and then none was."""
    try:
        if isinstance(reply, Fault):
            raise reply
        if reply.status == 200:
            return {key: HandedOver() for key in keys}
        bad = reply.read(_HandoverRefused).keys if reply.status == 409 else {}
        if not bad.keys() & set(keys):
            raise reply.fault()
    except Fault as fault:
        return dict.fromkeys(keys, fault)
    return {
        key: Fault(f"The carrier can't take over parcel {key}: it is {bad[key]}.")
        for key in keys
        if key in bad
    }


def carrier() -> Carrier:
    """The client that settings.CARRIER names, for settings.CARRIER_URL."""
    client: Carrier = once_per_address(client_class("CARRIER"), settings.CARRIER_URL)
    return client
