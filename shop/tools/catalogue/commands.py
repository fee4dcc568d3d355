"""What commands carry: the set, and whatever else the operation takes."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, get_type_hints

import msgspec
from django.conf import settings

from shop.tools.catalogue.schemas import ID, Schema


def further(operation: Callable[..., Any]) -> dict[str, Schema]:
    """What it takes besides its orders, by name."""
    hints = get_type_hints(operation)
    _, *others = signature(operation).parameters.values()
    return {parameter.name: _schema(parameter, hints[parameter.name]) for parameter in others}


def arguments(operation: Callable[..., Any], ref_template: str) -> Schema:
    """The arguments of the command's task."""
    orders = {"title": "orders", "type": "array", "items": {"$ref": ref_template.format(name="Commanded")}}
    others = [{"title": name, **schema} for name, schema in further(operation).items()]
    return {"type": "array", "items": [orders, *others], "minItems": 1}


def example_arguments(operation: Callable[..., Any]) -> list[Any]:
    return [[[ID, "S-100042", settings.STYLES[0], ID]], *("NORTH" for _ in further(operation))]


def _schema(parameter: Parameter, hint: Any) -> Schema:
    schema: Schema = msgspec.json.schema(hint)
    return schema if parameter.default is Parameter.empty else {**schema, "default": parameter.default}
