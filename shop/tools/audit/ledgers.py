"""The providers' books, read once, at the start, and added up per key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.utils import timezone

from orders.models import FIRST_NUMBER, Order
from payments.gateway import gateway
from shipping.carrier import carrier
from shop.base.money import show
from shop.base.providers import NoBooks
from shop.tools.audit.findings import Promise, Violation

CHUNK = 1000


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


@dataclass
class Ledgers:
    """What our rows account for is taken out, order by order; what is left in the end is accounted for by nobody.

    They are read before our tables. A key is stored before it is used, so every key in here is in our tables by then;
    but an order that ended after ``read_at`` may have moved money that is not in here.
    """

    read_at: datetime
    money: dict[str, Money] = field(default_factory=dict)  # by charge key
    parcels: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # by key: order number, kinds of movement
    charges: int = 0
    labels: int = 0
    without_books: dict[Promise, str] = field(default_factory=dict)  # what can't be checked, in words


def read_ledgers() -> Ledgers:
    """Raises Fault: a provider can't be asked, so there is nothing to say."""
    ledgers = Ledgers(timezone.now())
    for promise, read in ((Promise.MONEY, _read_money), (Promise.PARCELS, _read_parcels)):
        try:
            read(ledgers)
        except NoBooks as none:
            ledgers.without_books[promise] = str(none)
    return ledgers


def _read_money(ledgers: Ledgers) -> None:
    for move in gateway().ledger():
        if move.kind == "void":
            continue
        money = ledgers.money.setdefault(move.charge_key, Money(move.order_number, move.currency))
        if move.kind == "charge":
            money.charges += 1
            money.charged += move.amount_minor
            ledgers.charges += 1
        else:
            money.refunded -= move.amount_minor


def _read_parcels(ledgers: Ledgers) -> None:
    for step in carrier().ledger():
        number, kinds = ledgers.parcels.get(step.key, (step.order_number, ""))
        ledgers.parcels[step.key] = (number, f"{kinds} {step.kind}".lstrip())
        ledgers.labels += step.kind == "label"


def unaccounted(ledgers: Ledgers) -> Iterator[Violation]:
    """Keys no service knows that name an order of ours. Those of other shops and other databases are not our affair."""
    moved = {key: money.order_number for key, money in ledgers.money.items()}
    for key, number in _ours(moved):
        money = ledgers.money[key]
        amount = show(money.charged, money.currency)
        yield Violation(
            Promise.MONEY, f"{number} was charged {amount} under a key that payments does not know."
        )
    carried = {key: number for key, (number, kinds) in ledgers.parcels.items() if "label" in kinds.split()}
    for _, number in _ours(carried):
        yield Violation(Promise.PARCELS, f"{number} has a parcel at the carrier that shipping does not know.")


def _ours(numbers: dict[str, str]) -> Iterator[tuple[str, str]]:
    rest = iter(numbers.items())
    while some := list(islice(rest, CHUNK)):
        wanted = {number: int(number[2:]) - FIRST_NUMBER for _, number in some if _is_number(number)}
        known = set(Order.objects.filter(pk__in=wanted.values()).values_list("pk", flat=True))
        yield from ((key, number) for key, number in some if wanted.get(number) in known)


def _is_number(text: str) -> bool:
    return text[:2] == "S-" and text[2:].isascii() and text[2:].isdigit() and len(text) < 17
