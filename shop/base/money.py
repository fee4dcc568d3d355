"""Money is an integer of minor units with an ISO 4217 currency; only people see decimals."""

from __future__ import annotations

from decimal import Decimal

DECIMALS = {"GBP": 2, "EUR": 2, "USD": 2, "CHF": 2, "JPY": 0}  # the currencies the shop takes


def show(amount_minor: int, currency: str) -> str:
    """For people: ``show(1250, "GBP")`` is ``GBP 12.50``."""
    return f"{currency} {Decimal(amount_minor).scaleb(-DECIMALS.get(currency, 2)):,}"
