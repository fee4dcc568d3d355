"""What payments publishes: each fact, what it says, and when it is sent."""

from __future__ import annotations

from shop.base.money import show
from shop.messaging.events import Event


class PaymentProcessed(Event, frozen=True, kw_only=True):
    """The customer was charged, once. Amount in minor units of the ISO currency."""

    amount_minor: int
    currency: str

    def in_words(self) -> str:
        return f"charged {show(self.amount_minor, self.currency)}"


class PaymentFailed(Event, frozen=True, kw_only=True):
    """A refusal: the card was declined. Nothing was charged."""

    code: str
    reason: str

    def in_words(self) -> str:
        return f"refused: {self.reason}"


class PaymentRefunded(Event, frozen=True, kw_only=True):
    """The undo: what was charged is given back (0: nothing had been), and nothing will be charged."""

    amount_minor: int
    currency: str = ""  # empty where nothing had been charged

    def in_words(self) -> str:
        if not self.amount_minor:
            return "nothing had been charged"
        return f"refunded {show(self.amount_minor, self.currency)}"
