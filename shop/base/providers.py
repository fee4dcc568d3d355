"""What the clients of the outside providers share: which class it is, one client per address, reading the books."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from shop.base.http import Client
from shop.messaging.outcomes import Fault

PAGE_SIZE = 1000


class NoBooks(Fault):
    """What ``ledger()`` of a provider raises that keeps no books: the audit says so, and leaves them out."""


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


def client_class(setting: str) -> Callable[[str], Any]:
    """The class that a setting names by its dotted path; it is constructed with a base URL.

    Raises:
        ImproperlyConfigured: there is no such class.
    """
    path = getattr(settings, setting)
    try:
        return import_string(path)  # type: ignore[no-any-return]
    except ImportError as error:
        raise ImproperlyConfigured(
            f"{setting} is {path!r}; it must be the dotted path of a class that can be imported: {error}."
        ) from error


@lru_cache
def once_per_address(make: Callable[[str], Any], base_url: str) -> Any:
    """``make(base_url)``, but once per base URL."""
    return make(base_url)
