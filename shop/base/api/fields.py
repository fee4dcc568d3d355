"""Fields that take no other type for their own: a quantity of "2" or of true is a mistake of the sender's.

What they refuse stands in the published schema, and the other way round. So a text is looked at as it was sent: what is
trimmed off it counts, too.
"""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

# In the words that JavaScript's, Python's and Rust's regular expressions have in common: clients check by them, too.
_CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_SPACES = (
    r" \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"  # what trimming takes off, but for control characters
)
CONTROL = re.compile(f"[{_CONTROL}]")
LINE = f"^[^{_CONTROL}]+$"
VISIBLE_LINE = (
    f"^[{_SPACES}]*[^{_SPACES}{_CONTROL}][^{_CONTROL}]*$"  # something is left of it when it is trimmed
)
ADDRESS = (
    f"^[^{_SPACES}{_CONTROL}]+@[^{_SPACES}{_CONTROL}]+$"  # of mail; that it is a good one, `format` tells
)
NO_CONTROL = "Control characters are not allowed."


class Fits(RegexValidator):
    """As in the schema: all of it, and a newline at the end is none of it."""

    def __call__(self, value: Any) -> None:
        regex: Any = self.regex
        if not regex.fullmatch(str(value)):
            raise DjangoValidationError(self.message, code=self.code)


class Text(serializers.CharField):
    """One line of text."""

    pattern = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not self.pattern:
            self.pattern = VISIBLE_LINE if self.trim_whitespace else LINE
        self.validators.append(Fits(self.pattern))  # for the schema

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise ValidationError([ErrorDetail("A string is wanted.", code="invalid")])
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        if not re.fullmatch(self.pattern, data):
            told = NO_CONTROL if CONTROL.search(data) else self.error_messages["invalid"]
            raise ValidationError([ErrorDetail(str(told), code="invalid")])
        return super().to_internal_value(data)


class Email(serializers.EmailField, Text):
    """Not trimmed: a space before or after it is none of its own, nor is one inside."""

    pattern = ADDRESS

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, trim_whitespace=False)


class Secret(serializers.CharField):
    """A password, with whatever is in it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, trim_whitespace=False, write_only=True)
        self.validators.append(Fits("^[^\\u0000]+$", "NUL is not allowed."))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise ValidationError([ErrorDetail("A string is wanted.", code="invalid")])
        return data


class WholeNumber(serializers.IntegerField):
    """2.0 is 2, as JSON Schema has it."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is float and data.is_integer():
            return int(data)
        if type(data) is not int:
            raise ValidationError([ErrorDetail("A whole number is wanted.", code="invalid")])
        return data


class ShortList(serializers.ListField):
    """Its length is looked at first: one of a hundred thousand items is not gone through."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return list(super().to_internal_value(data))
