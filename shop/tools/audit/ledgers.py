"""The providers' books, read once, at the start, and added up per key: on disk, as they hold a shop's whole history."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from orders.models import FIRST_NUMBER, Order
from payments.gateway import gateway
from shipping.carrier import carrier
from shop.base.money import show
from shop.base.providers import NoBooks
from shop.messaging.rows import now_in
from shop.tools.audit.findings import Promise, Violation

T = TypeVar("T")

CHUNK = 1000
TABLES = """
    CREATE TABLE money (
        key TEXT PRIMARY KEY, order_number TEXT, currency TEXT, charges INT, charged INT, refunded INT
    ) WITHOUT ROWID;
    CREATE TABLE parcels (key TEXT PRIMARY KEY, order_number TEXT, kinds TEXT) WITHOUT ROWID;
"""
ADD_MONEY = """
    INSERT INTO money VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
    charges = charges + excluded.charges, charged = charged + excluded.charged, refunded = refunded + excluded.refunded
"""
ADD_PARCEL = "INSERT INTO parcels VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET kinds = kinds || ' ' || excluded.kinds"


@dataclass(slots=True)
class Money:
    """What moved under one charge key."""

    order_number: str = ""
    currency: str = ""
    charges: int = 0
    charged: int = 0
    refunded: int = 0

    @property
    def kept(self) -> int:
        return self.charged - self.refunded


def _scratch() -> sqlite3.Connection:
    """A database without a name: SQLite keeps it in a file that goes with the connection."""
    books = sqlite3.connect("", isolation_level=None)
    books.executescript(f"PRAGMA journal_mode = OFF; PRAGMA cache_size = -16000; {TABLES}")
    return books


@dataclass
class Ledgers:
    """What our rows account for is taken out, order by order; what is left in the end is accounted for by nobody.

    They are read before our tables. A key is stored before it is used, so every key in here is in our tables by then;
    but an order that ended after ``read_at`` may have moved money that is not in here.
    """

    read_at: datetime
    charges: int = 0
    labels: int = 0
    without_books: dict[Promise, str] = field(default_factory=dict)  # what can't be checked, in words
    books: sqlite3.Connection = field(default_factory=_scratch)

    def take_money(self, keys: Iterable[str]) -> dict[str, Money]:
        """What moved under these charge keys. It is taken out."""
        return {key: Money(*row) for key, *row in self._take("money", keys)}

    def take_parcels(self, keys: Iterable[str]) -> dict[str, list[str]]:
        """What the carrier did with these parcels, in its words. It is taken out."""
        return {key: kinds.split() for key, _, kinds in self._take("parcels", keys)}

    def _take(self, table: str, keys: Iterable[str]) -> list[tuple[Any, ...]]:
        these = f"FROM {table} WHERE key IN (SELECT value FROM json_each(?))"
        wanted = (json.dumps(list(keys)),)
        rows = self.books.execute(f"SELECT * {these}", wanted).fetchall()
        self.books.execute(f"DELETE {these}", wanted)
        return rows


def read_ledgers() -> Ledgers:
    """Raises Fault: a provider can't be asked, so there is nothing to say."""
    ledgers = Ledgers(now_in(Order))
    for promise, read in ((Promise.MONEY, _read_money), (Promise.PARCELS, _read_parcels)):
        try:
            read(ledgers)
        except NoBooks as none:
            ledgers.without_books[promise] = str(none)
    return ledgers


def _read_money(ledgers: Ledgers) -> None:
    for moves in _chunks(gateway().ledger()):
        rows = [
            (move.charge_key, move.order_number, move.currency, 1, move.amount_minor, 0)
            if move.kind == "charge"
            else (move.charge_key, move.order_number, move.currency, 0, 0, -move.amount_minor)
            for move in moves
            if move.kind != "void"
        ]
        ledgers.charges += sum(move.kind == "charge" for move in moves)
        ledgers.books.executemany(ADD_MONEY, rows)


def _read_parcels(ledgers: Ledgers) -> None:
    for steps in _chunks(carrier().ledger()):
        ledgers.labels += sum(step.kind == "label" for step in steps)
        ledgers.books.executemany(ADD_PARCEL, [(step.key, step.order_number, step.kind) for step in steps])


def unaccounted(ledgers: Ledgers) -> Iterator[Violation]:
    """Keys no service knows that name an order of ours. Those of other shops and other databases are not our affair."""
    moved = ledgers.books.execute("SELECT order_number, charged, currency FROM money")
    for number, charged, currency in _ours(moved):
        amount = show(charged, currency)
        yield Violation(
            Promise.MONEY, f"{number} was charged {amount} under a key that payments does not know."
        )
    carried = ledgers.books.execute(
        "SELECT order_number FROM parcels WHERE ' ' || kinds || ' ' LIKE '% label %'"
    )
    for (number,) in _ours(carried):
        yield Violation(Promise.PARCELS, f"{number} has a parcel at the carrier that shipping does not know.")


def _ours(found: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Those rows that begin with the number of an order of ours."""
    for some in _chunks(found):
        wanted = {row[0]: int(row[0][2:]) - FIRST_NUMBER for row in some if _is_number(row[0])}
        known = set(Order.objects.filter(pk__in=wanted.values()).values_list("pk", flat=True))
        yield from (row for row in some if wanted.get(row[0]) in known)


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, CHUNK)):
        yield some


def _is_number(text: str) -> bool:
    return text[:2] == "S-" and text[2:].isascii() and text[2:].isdigit() and len(text) < 17
