"""Asking the sandbox one thing at a time."""

from __future__ import annotations

from payments.gateway import Charge, Refund, SandboxGateway
from tests.providers import merged

SLOW = 0.5


def charge(key: str, method: str = "pm_card_approved", amount: int = 1999) -> Charge:
    return Charge(key, amount, "EUR", method, f"order of {key}")


def ask_to_charge(
    gateway: SandboxGateway, key: str, method: str = "pm_card_approved", amount: int = 1999
) -> object:
    return merged(gateway.charge([charge(key, method, amount)]))[key]


def ask_to_refund(gateway: SandboxGateway, key: str, refund_key: str = "") -> object:
    refund = Refund(refund_key or f"refund:{key}", key)
    return merged(gateway.refund([refund]))[refund.key]


def moved(gateway: SandboxGateway, key: str) -> list[tuple[str, int]]:
    return [(row.kind, row.amount_minor) for row in gateway.ledger() if row.charge_key == key]
