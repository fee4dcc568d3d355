"""The providers' books are read in little memory, however long they are."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from payments.gateway import Movement
from shop.base.providers import NoBooks
from shop.tools.audit import ledgers
from shop.tools.audit.ledgers import Money

MANY = 40_000
AT_MOST = 3_000_000  # bytes; as Python's own objects they would be some 15 million


class Books:
    """A charge for each of many orders, and the first of them given back."""

    def ledger(self) -> Iterator[Movement]:
        for number in range(MANY):
            yield movement(number, "charge", 500)
        yield movement(0, "refund", -200)
        yield movement(0, "void", 0)


class NoCarrier:
    def ledger(self) -> Iterator[Movement]:
        raise NoBooks("The carrier keeps no books.")


def movement(number: int, kind: str, amount: int) -> Movement:
    key = f"key-{number}"
    return Movement(number, kind, f"{kind}-{key}", key, f"T-{number}", amount, "GBP", "2026-01-01")


def test_books_of_any_length_are_read_in_little_memory(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "gateway", Books)
    monkeypatch.setattr(ledgers, "carrier", NoCarrier)
    tracemalloc.start()
    read = ledgers.read_ledgers()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < AT_MOST
    assert read.charges == MANY
    taken = read.take_money(["key-0", "key-1", "key-0", "unknown"])
    assert taken == {"key-0": Money("T-0", "GBP", 1, 500, 200), "key-1": Money("T-1", "GBP", 1, 500, 0)}
    assert read.take_money(["key-0"]) == {}
