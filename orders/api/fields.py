"""Fields that take no other type for their own: a quantity of "2" or of true is a mistake of the sender's."""

from __future__ import annotations

import re
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

KEY = re.compile(r"[\x21-\x7e]{1,100}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
one_line = RegexValidator(CONTROL, "Control characters are not allowed.", inverse_match=True)


class Text(serializers.CharField):
    """One line of text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.append(one_line)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise ValidationError([ErrorDetail("A string is wanted.", code="invalid")])
        return super().to_internal_value(data)


class Email(serializers.EmailField, Text):
    pass


class WholeNumber(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            raise ValidationError([ErrorDetail("A whole number is wanted.", code="invalid")])
        return data


class ShortList(serializers.ListField):
    """Its length is looked at first: one of a hundred thousand items is not gone through."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return list(super().to_internal_value(data))


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
