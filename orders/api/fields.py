"""What only orders take: the key of a request, texts without card numbers, a way to pay, a country to send to."""

from __future__ import annotations

import re
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from shop.base.api.fields import Text
from shop.base.cards import holds_card_number
from shop.base.countries import COUNTRIES, NO_SUCH_COUNTRY

KEY = re.compile(r"[\x21-\x7e]{1,100}")


class WithoutCards(Text):
    """Of bounded length, and nothing in it that looks like a card's number. ``called``: what it is, in a sentence."""

    card_number = "The {called} holds what looks like a card's number: leave it out. It was not kept."

    def __init__(self, called: str, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)
        self.called = called

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if holds_card_number(text):
            told = self.card_number.format(called=self.called)
            raise ValidationError([ErrorDetail(told, code="card_number")])
        return text


class PaymentMethod(WithoutCards):
    card_number = "As {called} send the payment provider's token, never a card's number. It was not kept."

    def __init__(self, **kwargs: Any) -> None:
        told = (
            "A token of the payment provider, such as `pm_card_approved`. A card's number is refused: "
            "it must never come here."
        )
        super().__init__("payment method", 100, help_text=told, **kwargs)


class Country(serializers.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=list(COUNTRIES.items()),
            help_text="ISO 3166-1, two capital letters.",
            error_messages={"invalid_choice": NO_SUCH_COUNTRY},
            **kwargs,
        )


def idempotency_key(request: Request) -> str:
    """The header's value.

    Raises:
        ValidationError: it is missing, too long, or holds something else than visible ASCII characters.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        text = (
            "This header is required: 1 to 100 visible ASCII characters, such as a UUID, new for each order."
        )
        raise ValidationError({"Idempotency-Key": [text]})
    return key
