"""What the REST API reads: JSON in UTF-8 as it is, and in it no field that nobody knows, nor one that stands twice.

Anything else is refused by name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import exceptions, serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.utils.json import strict_constant

from shop.base.api.problems import MOST_ERRORS

AS_IT_IS, UTF_8 = {"", "identity"}, {"utf-8", "utf8"}
TWICE = "It stands here more than once."


class JsonBody(JSONParser):
    """A body nested a thousand deep is malformed, not a fault of ours. Too large a one is refused before it is read."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        _refuse_what_is_encoded(parser_context["request"])
        return self.read(stream.read())

    def read(self, data: bytes) -> Any:
        doubled: list[_Doubled] = []

        def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            found = dict(pairs)
            if len(found) < len(pairs):
                found = _Doubled(pairs)
                doubled.append(found)
            return found

        try:
            body = json.loads(data.decode(), parse_constant=strict_constant, object_pairs_hook=object_of)
            if doubled:
                twice = {key: [TWICE] for key in islice(_twice(body), MOST_ERRORS)}
                raise exceptions.ValidationError(twice)
        except RecursionError:
            raise exceptions.ParseError("The body is nested too deeply.") from None
        except ValueError as error:
            where = f": {error}" if isinstance(error, json.JSONDecodeError) else ""
            raise exceptions.ParseError(f"The body is not JSON in UTF-8{where}.") from None
        return body


def _refuse_what_is_encoded(request: Request) -> None:
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.lower() not in UTF_8:
        told = f"The body is said to be in {charset}: send it in UTF-8, and say so or nothing."
        raise exceptions.UnsupportedMediaType(request.content_type, told)
    coding = request.headers.get("Content-Encoding", "")
    if any(one.strip().lower() not in AS_IT_IS for one in coding.split(",")):
        told = f"The body is encoded ({coding}): send it as it is, without Content-Encoding."
        raise exceptions.UnsupportedMediaType(request.content_type, told)


class _Doubled(dict[str, Any]):
    """A JSON object with a key that stands more than once in it."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]


def _twice(value: Any, path: str = "") -> Iterator[str]:
    """Where a key stands more than once, such as ``lines.0.sku``."""
    if isinstance(value, _Doubled):
        yield from (f"{path}{key}" for key in value.twice)
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from _twice(inner, f"{path}{key}.")


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


class BodySchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Published as what it is: without other fields."""

    target_class = Body
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}
