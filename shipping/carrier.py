"""The carrier as shipping sees it: what can be asked, what can be answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
from django.conf import settings

from shop.base.http import Client, call_each
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
    """Every call is plural and answers per key; a fault is an answer too, never raised for one item."""

    def create_labels(self, requests: Sequence[LabelRequest]) -> dict[str, Label | LabelRefused | Fault]: ...

    def void(self, keys: Sequence[str]) -> dict[str, Voided | TooLate | Fault]:
        """A key without a label is void too: a late label for it is refused ("voided")."""
        ...

    def hand_over(self, keys: Sequence[str]) -> dict[str, HandedOver | Fault]:
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
        self._client = Client(base_url, "The carrier")

    def create_labels(self, requests: Sequence[LabelRequest]) -> dict[str, Label | LabelRefused | Fault]:
        return call_each(self._create_label, requests, lambda request: request.key)

    def void(self, keys: Sequence[str]) -> dict[str, Voided | TooLate | Fault]:
        return call_each(self._void, keys, lambda key: key)

    def hand_over(self, keys: Sequence[str]) -> dict[str, HandedOver | Fault]:
        """The carrier takes all keys of a request or none: it is asked again without those it names."""
        results: dict[str, HandedOver | Fault] = {}
        left = list(dict.fromkeys(keys))
        while left:
            asked = left[:HAND_OVER_AT_ONCE]
            try:
                bad = self._hand_over(asked)
            except Fault as fault:
                bad = dict.fromkeys(asked, fault)
            results |= bad
            if not bad:
                results |= {key: HandedOver() for key in asked}
            left = [key for key in left if key not in results]
        return {key: results[key] for key in dict.fromkeys(keys)}

    def ledger(self) -> Iterator[Movement]:
        return read_ledger(self._client, Page[Movement])

    def _create_label(self, request: LabelRequest) -> Label | LabelRefused:
        body = {
            "order_number": request.order_number,
            "warehouse": request.warehouse,
            "address": request.address,
        }
        reply = self._client.post("/v1/labels", body, key=request.key)
        if reply.status == 200:
            return reply.read(Label)
        if reply.status == 422:
            return LabelRefused(reply.read(dict[str, str]).get("refused", "no reason given"))
        raise reply.fault()

    def _void(self, key: str) -> Voided | TooLate:
        reply = self._client.post("/v1/labels/void", {"key": key})
        if reply.status == 200:
            return Voided()
        if reply.status == 409 and reply.read(dict[str, object]).get("too_late") is True:
            return TooLate()
        raise reply.fault()

    def _hand_over(self, keys: list[str]) -> dict[str, Fault]:
        """The keys that can't be handed over, if any: then none was."""
        reply = self._client.post("/v1/handovers", {"keys": keys})
        if reply.status == 200:
            return {}
        if reply.status != 409:
            raise reply.fault()
        named = reply.read(_HandoverRefused).keys
        if not named.keys() & set(keys):
            raise reply.fault()
        return {
            key: Fault(f"The carrier can't take over parcel {key}: it is {named[key]}.")
            for key in keys
            if key in named
        }


def carrier() -> Carrier:
    """The client that settings.CARRIER names, for settings.CARRIER_URL."""
    client: Carrier = once_per_address(client_class("CARRIER"), settings.CARRIER_URL)
    return client
