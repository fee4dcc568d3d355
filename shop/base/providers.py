"""What the clients of the outside providers share: reading the books, and one client per address and process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

import msgspec

from shop.base.http import Client

PAGE_SIZE = 1000

Provider = TypeVar("Provider")


class Numbered(Protocol):
    """A row of a provider's books: a later row has a higher ``id``."""

    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=Numbered)


class Page(msgspec.Struct, Generic[Row], frozen=True):
    rows: list[Row]


def read_ledger(client: Client, page: type[Page[Row]]) -> Iterator[Row]:
    """All of a provider's books, oldest first, a page at a time: ``page`` says of which rows. Raises Fault."""
    after = 0
    while True:
        reply = client.get("/v1/ledger", {"after": after, "limit": PAGE_SIZE})
        if reply.status != 200:
            raise reply.fault()
        rows = reply.read(page).rows
        yield from rows
        if len(rows) < PAGE_SIZE:
            return
        after = rows[-1].id


def once_per_address(make: Callable[[str], Provider]) -> Callable[[str], Provider]:
    """Like ``make``, but each base URL gets its client once: its connections are kept for the life of the process."""
    made = lru_cache(make)
    # Two processes on one connection would mix up their answers.
    os.register_at_fork(after_in_child=made.cache_clear)
    return made
