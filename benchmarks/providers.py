"""A payment provider and a carrier in the process itself, which say yes at once: settings PAYMENTS_GATEWAY and CARRIER.

The systems the shop is compared with call no provider either. They keep no books, and the audit says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from payments.gateway import Approved, Charge, Declined, Refund, Refunded
from payments.gateway import Movement as Payment
from shipping.carrier import HandedOver, Label, LabelRefused, LabelRequest, TooLate, Voided
from shipping.carrier import Movement as Carriage
from shop.base.providers import NoBooks
from shop.messaging.outcomes import Fault


class AtOnceGateway:
    def __init__(self, base_url: str) -> None:
        """No address is called."""

    def charge(self, charges: Sequence[Charge]) -> Iterator[dict[str, Approved | Declined | Fault]]:
        if charges:
            yield {charge.key: Approved(f"ch_{charge.key}") for charge in charges}

    def refund(self, refunds: Sequence[Refund]) -> Iterator[dict[str, Refunded | Fault]]:
        """Without books nobody knows what a key had charged; nothing that is measured refunds."""
        if refunds:
            yield {refund.key: Fault("The payment provider at once can't refund.") for refund in refunds}

    def ledger(self) -> Iterator[Payment]:
        raise NoBooks("The payment provider keeps no books.")


class AtOnceCarrier:
    def __init__(self, base_url: str) -> None:
        """No address is called."""

    def create_labels(
        self, requests: Sequence[LabelRequest]
    ) -> Iterator[dict[str, Label | LabelRefused | Fault]]:
        if requests:
            yield {request.key: Label(f"TR{request.key}") for request in requests}

    def void(self, keys: Sequence[str]) -> Iterator[dict[str, Voided | TooLate | Fault]]:
        if keys:
            yield {key: Voided() for key in keys}

    def hand_over(self, keys: Sequence[str]) -> Iterator[dict[str, HandedOver | Fault]]:
        if keys:
            yield {key: HandedOver() for key in keys}

    def ledger(self) -> Iterator[Carriage]:
        raise NoBooks("The carrier keeps no books.")
