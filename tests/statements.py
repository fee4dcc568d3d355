"""How many statements an operation sends to an app's own tables: a promise of speed that a test can keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections
from django.test.utils import CaptureQueriesContext

from shop.base.databases import alias_of


def statements(operation: Callable[..., Any], refs: list[Any], app: str) -> int:
    """Statements on the app's tables, its outbox and inbox left out (they belong to the kernel)."""
    boxes = (f"{app}_outbox", f"{app}_inbox")
    with CaptureQueriesContext(connections[alias_of(app)]) as captured:
        operation(refs)
    texts = [query["sql"] for query in captured.captured_queries]
    return sum(f"{app}_" in text and not any(box in text for box in boxes) for text in texts)
