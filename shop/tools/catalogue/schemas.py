"""What events and commands look like, as JSON Schema: of the very types by which they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from inspect import cleandoc
from typing import Any, get_args

import msgspec
from django.conf import settings

from shop.messaging.commands import Commanded
from shop.messaging.events import Event, registry

Schema = dict[str, Any]

MOMENT = "2026-11-26T12:00:00Z"
ID = "01993e5f-0000-7000-8000-000000000001"
SAMPLES: Mapping[str, Any] = {
    "string": "text",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "array": [],
    "object": {},
}


def events() -> list[type[Event]]:
    """All that the product has, by owner and name; not those that only a test knows."""
    known = (event for event in registry.values() if ".tests." not in event.__module__)
    return sorted(known, key=lambda event: (event.owner(), event.__name__))


def schemas(ref_template: str = "#/$defs/{name}") -> dict[str, Schema]:
    """Of every event, and of what they and the commands are made of, by name."""
    _, found = msgspec.json.schema_components([*events(), Commanded], ref_template=ref_template)
    types = {one.__name__: one for one in _structs()}
    return {name: _completed(schema, types[name]) for name, schema in sorted(found.items())}


def document() -> Schema:
    """One JSON Schema for all events; each is under ``$defs``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Shop: events",
        "description": "Any event as it is stored and sent. Made by: python manage.py events",
        "anyOf": [{"$ref": f"#/$defs/{event.__name__}"} for event in events()],
        "$defs": schemas(),
    }


def example(schema: Schema) -> dict[str, Any]:
    """An event of this schema as it may be sent: each field's example, or else something of its type. What may be left
    out is."""
    values = {
        name: _sample(field)
        for name, field in schema["properties"].items()
        if name in schema["required"] and name != "ref"
    }
    return {"ref": [ID, "S-100042", settings.STYLES[-1]], "id": ID, "at": MOMENT, **values}


def type_in_words(schema: Schema) -> str:
    """``text``, ``list of text``, ``time or nothing``."""
    if "anyOf" in schema:
        return " or ".join(type_in_words(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array" and "items" in schema:
        return f"list of {type_in_words(schema['items'])}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"{type_in_words(schema['additionalProperties'])} by name"
    formats = {"uuid": "id", "date-time": "time"}
    words = {"string": "text", "integer": "whole number", "boolean": "yes or no", "null": "nothing"}
    kind = str(schema["type"])
    return formats.get(str(schema.get("format")), words.get(kind, kind))


def summary(one: object) -> str:
    """The first sentence of what its docstring says, up to the first empty line."""
    return " ".join(cleandoc(one.__doc__ or "").partition("\n\n")[0].split())


def _structs() -> Sequence[type[msgspec.Struct]]:
    """The types themselves, and those their fields are of."""
    found: dict[type[msgspec.Struct], None] = {}
    waiting: list[type[msgspec.Struct]] = [*events(), Commanded]
    while waiting:
        if (one := waiting.pop()) not in found:
            found[one] = None
            for field in msgspec.structs.fields(one):
                waiting += [
                    part
                    for part in _parts(field.type)
                    if isinstance(part, type) and issubclass(part, msgspec.Struct)
                ]
    return list(found)


def _parts(annotation: Any) -> list[Any]:
    return [annotation, *(part for argument in get_args(annotation) for part in _parts(argument))]


def _completed(schema: Schema, struct: type[msgspec.Struct]) -> Schema:
    """With what msgspec leaves out: names of what stands in an array, and that times are times."""
    schema = {**schema, "description": " ".join(cleandoc(struct.__doc__ or "").split())}
    fields = msgspec.structs.fields(struct)
    parts = schema.get("prefixItems") or [schema["properties"][field.encode_name] for field in fields]
    for field, part in zip(fields, parts, strict=True):
        if "prefixItems" in schema:
            part["title"] = field.name
        if datetime in _parts(field.type):
            for kind in part.get("anyOf", [part]):
                if kind["type"] == "string":
                    kind["format"] = "date-time"
    return schema


def _sample(schema: Schema) -> Any:
    if "examples" in schema:
        return schema["examples"][0]
    return SAMPLES[schema["type"]]
