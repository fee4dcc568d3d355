"""What an operation sends to the databases: a promise of speed that a test can keep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import connections
from django.test.utils import CaptureQueriesContext

OF_TRANSACTIONS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements sent to all databases meanwhile, but for transactions' own; the list is filled at the end."""
    sent: list[str] = []
    with ExitStack() as stack:
        captured = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections]
        yield sent
    texts = (query["sql"] for context in captured for query in context.captured_queries)
    sent += [text for text in texts if not text.startswith(OF_TRANSACTIONS)]
