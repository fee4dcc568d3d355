"""What an operation sends to the databases: a promise of speed that a test can keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from django.db import connections
from django.test.utils import CaptureQueriesContext

OF_TRANSACTIONS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
OF_THE_KERNEL = ("_outbox", "_inbox")


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements sent to all databases meanwhile, but for transactions' own; the list is filled at the end."""
    sent: list[str] = []
    with ExitStack() as stack:
        captured = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections]
        yield sent
    texts = (query["sql"] for context in captured for query in context.captured_queries)
    sent += [text for text in texts if not text.startswith(OF_TRANSACTIONS)]


def own(sent: Sequence[str], *apps: str) -> int:
    """How many of them are the operation's own, not the kernel's, and are on these apps' tables."""
    return sum(
        any(f"{app}_" in text for app in apps) and not any(box in text for box in OF_THE_KERNEL)
        for text in sent
    )
