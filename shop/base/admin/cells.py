"""How a value is shown to people in a list or on a page."""

from __future__ import annotations

from shop.base.money import show

NOTHING = "-"


def money(amount_minor: int, currency: str) -> str:
    """An amount for people; a row that never came to an amount has no currency either."""
    return show(amount_minor, currency) if currency else NOTHING
