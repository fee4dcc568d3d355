"""The published schema, as a client reads it that checks by it what it sends and what it gets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend
from rest_framework.test import APIClient

ANYTHING = {"example", "examples", "default", "enum"}


@cache
def published() -> dict[str, Any]:
    schema: dict[str, Any] = APIClient().get("/api/schema/", headers={"Accept": "application/json"}).json()
    return schema


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """As in JavaScript, by which JSON Schema goes: there ``$`` is the end and nothing else."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = extend(Draft202012Validator, {"pattern": _pattern})


def flaws(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with a value by a schema, which may refer to the published components."""
    whole = {**schema, "components": published()["components"]}
    found = Validator(whole, format_checker=FormatChecker(["email", "uuid"])).iter_errors(value)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


def component(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation)"""
    for path, methods in published()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation
