"""The OpenAPI page, made once in each process: making it takes a third of a second, and two at once fail."""

from __future__ import annotations

import threading
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request

HEADERS: dict[
    str, tuple[set[str], dict[str, Any], str]
] = {  # name: (of which statuses, its kind, what it tells)
    "Retry-After": (
        {"429", "503"},
        {"type": "integer", "minimum": 1},
        "Seconds to wait before it is sent again.",
    ),
    "WWW-Authenticate": ({"401"}, {"type": "string"}, "`Token`."),
}
REQUEST_ID = {
    "schema": {"type": "string"},
    "description": "Of this request: the client's own, or one made here.",
}
_making = threading.Lock()
_made: dict[bool, dict[str, Any]] = {}


class OncePerProcess(SchemaGenerator):
    """What it says depends on nothing that a request brings; the library loads its parts as if it were alone."""

    def get_schema(self, request: Request | None = None, public: bool = False) -> dict[str, Any]:
        with _making:
            if public not in _made:
                _made[public] = with_headers(super().get_schema(request, public))  # type: ignore[no-untyped-call]
            return _made[public]


def with_headers(schema: dict[str, Any]) -> dict[str, Any]:
    """What answers bring whatever their address is. Not of those that are refused before they are read: in plain text."""
    for operation in (found for methods in schema["paths"].values() for found in methods.values()):
        for status, answer in operation["responses"].items():
            if status in ("414", "431"):
                continue
            headers = answer.setdefault("headers", {})
            headers["X-Request-ID"] = dict(REQUEST_ID)
            for name, (statuses, kind, told) in HEADERS.items():
                if status in statuses:
                    headers[name] = {"schema": dict(kind), "description": told}
    return schema
