"""The payment provider as payments sees it: what can be asked, what can be answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
from django.conf import settings

from shop.base.http import Client, Post, Reply
from shop.base.providers import Page, client_class, once_per_address, read_ledger
from shop.messaging.outcomes import Fault


class Charge(msgspec.Struct, frozen=True):
    """``key`` is stored before the call; asking again with it charges nothing again."""

    key: str
    amount_minor: int
    currency: str
    method: str
    order_number: str


class Refund(msgspec.Struct, frozen=True):
    key: str
    charge_key: str


class Approved(msgspec.Struct, frozen=True):
    reference: str


class Declined(msgspec.Struct, frozen=True):
    code: str
    message: str


class Refunded(msgspec.Struct, frozen=True):
    """0: the key had charged nothing, and never will."""

    amount_minor: int


class Movement(msgspec.Struct, frozen=True):
    """A row of the provider's books. Charges are above zero, refunds below: the sum is what the shop holds.

    ``kind``: charge, refund, or void: a charge key settled before it charged (amount 0, perhaps no order).
    """

    id: int
    kind: str
    key: str
    charge_key: str
    order_number: str
    amount_minor: int
    currency: str
    at: str


class Gateway(Protocol):
    """Every call is plural. Its answers, by key, come in groups as the provider gives them: a slow one holds up no other.

    Each key gets one answer; a fault is an answer too, never raised for one item.
    """

    def charge(self, charges: Sequence[Charge]) -> Iterator[dict[str, Approved | Declined | Fault]]: ...

    def refund(self, refunds: Sequence[Refund]) -> Iterator[dict[str, Refunded | Fault]]:
        """Settle each charge key for good: give back what it charged, or see to it that it never charges.

        A late charge with it is then declined ("voided").
        """
        ...

    def ledger(self) -> Iterator[Movement]:
        """Everything that ever moved, oldest first. Raises Fault; NoBooks where none are kept."""
        ...


class _ApprovedBody(msgspec.Struct, frozen=True):
    id: str


class SandboxGateway:
    """The provider of shop/sandbox, over HTTP."""

    def __init__(self, base_url: str) -> None:
        self._client = Client(base_url, "The payment provider", "payments")

    def charge(self, charges: Sequence[Charge]) -> Iterator[dict[str, Approved | Declined | Fault]]:
        posts = {
            charge.key: Post("/v1/charges", _charge_body(charge), charge.key, (charge.method,))
            for charge in charges
        }
        return self._client.post_each(posts, _charged)

    def refund(self, refunds: Sequence[Refund]) -> Iterator[dict[str, Refunded | Fault]]:
        posts = {
            refund.key: Post("/v1/refunds", {"charge_key": refund.charge_key}, refund.key)
            for refund in refunds
        }
        return self._client.post_each(posts, _refunded)

    def ledger(self) -> Iterator[Movement]:
        return read_ledger(self._client, Page[Movement])


def _charge_body(charge: Charge) -> object:
    return {
        "amount_minor": charge.amount_minor,
        "currency": charge.currency,
        "method": charge.method,
        "order_number": charge.order_number,
    }


def _charged(reply: Reply) -> Approved | Declined:
    if reply.status == 200:
        return Approved(reply.read(_ApprovedBody).id)
    if reply.status == 402:
        declined = reply.read(Declined)
        return Declined(reply.repeated(declined.code), reply.repeated(declined.message))
    raise reply.fault()


def _refunded(reply: Reply) -> Refunded:
    if reply.status == 200:
        return reply.read(Refunded)
    raise reply.fault()


def gateway() -> Gateway:
    """The client that settings.PAYMENTS_GATEWAY names, for settings.PAYMENTS_URL."""
    client: Gateway = once_per_address(client_class("PAYMENTS_GATEWAY"), settings.PAYMENTS_URL)
    return client
