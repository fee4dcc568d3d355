"""What the REST API reads: JSON in UTF-8, and in it no field that nobody knows. Anything else is refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework import exceptions, serializers
from rest_framework.parsers import JSONParser

from shop.base.api.problems import MOST_ERRORS


class JsonBody(JSONParser):
    """A body nested a thousand deep is malformed, not a fault of ours. Too large a one is refused before it is read."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("The body is nested too deeply.") from None
        except exceptions.ParseError as error:
            cause = error.__context__
            where = f": {cause}" if isinstance(cause, json.JSONDecodeError) else ""
            raise exceptions.ParseError(f"The body is not JSON in UTF-8{where}.") from None


class Body(serializers.Serializer):
    """A JSON object without fields that nobody would read: a misspelled one is refused by its name."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        errors: dict[str, Any] = {name: ["There is no such field."] for name in unknown[:MOST_ERRORS]}
        try:
            value = super().to_internal_value(data)
        except exceptions.ValidationError as error:
            raise exceptions.ValidationError({**error.detail, **errors}) from None  # type: ignore[dict-item]
        if errors:
            raise exceptions.ValidationError(errors)
        return value
