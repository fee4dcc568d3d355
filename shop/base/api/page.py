"""The OpenAPI page, made once in each process: making it takes a third of a second, and two at once fail."""

from __future__ import annotations

import threading
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request

_making = threading.Lock()
_made: dict[bool, dict[str, Any]] = {}


class OncePerProcess(SchemaGenerator):
    """What it says depends on nothing that a request brings; the library loads its parts as if it were alone."""

    def get_schema(self, request: Request | None = None, public: bool = False) -> dict[str, Any]:
        with _making:
            if public not in _made:
                _made[public] = super().get_schema(request, public)  # type: ignore[no-untyped-call]
            return _made[public]
