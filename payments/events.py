"""What payments publishes: each fact, what it says, and when it is sent."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shop.base.money import show
from shop.messaging.events import Event


class PaymentProcessed(Event, frozen=True, kw_only=True):
    """The customer was charged, once. Amount in minor units of the ISO currency."""

    amount_minor: Annotated[int, Meta(description="In minor units of the currency.", examples=[2500])]
    currency: Annotated[str, Meta(description="The ISO code.", examples=["GBP"])]

    def in_words(self) -> str:
        return f"charged {show(self.amount_minor, self.currency)}"


class PaymentFailed(Event, frozen=True, kw_only=True):
    """A refusal: the card was declined. Nothing was charged."""

    code: Annotated[str, Meta(description="The provider's code of the refusal.", examples=["card_declined"])]
    reason: Annotated[
        str, Meta(description="Why, in words for the customer.", examples=["The card was declined."])
    ]

    def in_words(self) -> str:
        return f"refused: {self.reason}"


class PaymentRefunded(Event, frozen=True, kw_only=True):
    """The undo: what was charged is given back (0: nothing had been), and nothing will be charged."""

    amount_minor: Annotated[int, Meta(description="In minor units of the currency.", examples=[2500])]
    currency: Annotated[str, Meta(description="The ISO code; empty where nothing had been charged.")] = ""

    def in_words(self) -> str:
        if not self.amount_minor:
            return "nothing had been charged"
        return f"refunded {show(self.amount_minor, self.currency)}"
