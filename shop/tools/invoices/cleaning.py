"""What becomes of each kind of dirty line. The treatments are the members of ``Dirt`` and ``NoOrder``, in words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

from shop.base.cards import holds_card_number
from shop.tools.invoices.countries import ISO_CODES
from shop.tools.invoices.reading import RawInvoice, RawLine


class Dirt(Enum):
    """Why a line was skipped, or kept although something is odd about it."""

    MISSHAPEN = "skipped", "too few or too many columns"
    BAD_INVOICE_NO = "skipped", "no invoice number we know: neither digits nor C and digits"
    BAD_CODE = "skipped", "no usable stock code"
    NO_GOODS = "skipped", "no goods: carriage, discount, fee or manual line"
    BAD_NUMBER = "skipped", "quantity or price is no number"
    TOO_LARGE = "skipped", "quantity or price beyond belief"
    NO_UNITS = "skipped", "quantity zero"
    WRITE_OFF = "skipped", "negative quantity outside a cancellation: a write-off"
    SALE_IN_CANCELLATION = "skipped", "positive quantity in a cancellation"
    NEGATIVE_PRICE = "skipped", "negative price"
    NOTHING_TO_PAY = "skipped", "price zero, and nothing else to pay on the invoice: a stock adjustment"
    GIFT = "kept", "price zero beside priced lines: a gift"
    ROUNDED = "kept", "a fraction of a penny: price rounded half up"
    NO_DESCRIPTION = "kept", "no description: named as on another line, or by its code"
    NO_CUSTOMER = "kept", "no customer: ordered by a guest"
    BAD_DATE = "kept", "a date that can't be read; nothing depends on it"
    SAME_AGAIN = "kept", "same product at the same price again: merged into one line"

    def __init__(self, treatment: str, words: str) -> None:
        self.treatment = treatment
        self.words = words


class NoOrder(Enum):
    """Why an invoice or cancellation is not acted on as a whole."""

    NOTHING_LEFT = "nothing left to order"
    UNKNOWN_COUNTRY = "a country we can't send to"
    TWO_CUSTOMERS = "customer or country changes within the invoice"
    CARD_NUMBER = "what looks like a card's number as the customer's: take it out of CustomerID"
    TOO_EXPENSIVE = "total beyond what the payment provider takes"


CODES_OF_NO_GOODS = frozenset(
    ("ADJUST", "ADJUST2", "AMAZONFEE", "B", "BANK CHARGES", "C2", "C3", "CRUK", "D", "DOT", "M", "POST", "S")
)
VOUCHERS = "GIFT_0001_"
MOST_UNITS = 100_000  # of one line; the data set's largest is 80,995
MOST_POUNDS = 1_000_000
LONGEST_CUSTOMER = (
    60  # characters that are looked at: a card's number, with all that may stand between its digits
)
MOST_TO_PAY = 10**12  # minor units, the provider's limit
DATE_FORMATS = ("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M")


@dataclass(frozen=True)
class Item:
    """A clean line: units of a product at a price in pence."""

    sku: str
    quantity: int
    price_minor: int
    name: str


@dataclass
class Invoice:
    """A clean invoice or (``cancels``) cancellation, whose quantities then say how many units are given back."""

    number: str
    cancels: bool = False
    customer: str = ""  # empty: a guest
    country: str = ""
    items: list[Item] = field(default_factory=list)
    lines: int = 0
    dirt: Counter[Dirt] = field(default_factory=Counter)
    no_order: NoOrder | None = None

    @property
    def total_minor(self) -> int:
        return sum(item.quantity * item.price_minor for item in self.items)

    @property
    def units(self) -> Counter[str]:
        units: Counter[str] = Counter()
        for item in self.items:
            units[item.sku] += item.quantity
        return units


def clean(raw: RawInvoice) -> Invoice:
    """What an invoice orders, and how often each kind of dirt stood in it. Depends on this invoice alone."""
    invoice = Invoice(raw.number.upper(), lines=len(raw.lines) + raw.misshapen)
    invoice.dirt[Dirt.MISSHAPEN] += raw.misshapen
    known = re.fullmatch(r"(C?)([0-9]{1,20})", invoice.number)
    if not known:
        invoice.dirt[Dirt.BAD_INVOICE_NO] += len(raw.lines)
        invoice.no_order = NoOrder.NOTHING_LEFT
        return invoice
    invoice.cancels = bool(known[1])
    kept = [(line, item) for line in raw.lines if (item := _item(line, invoice)) is not None]
    if not invoice.cancels:
        kept = _with_or_without_gifts(kept, invoice)
    invoice.items = [item for _, item in kept]
    _note_what_is_odd(kept, invoice)
    _name_customer([line for line, _ in kept], invoice)
    return invoice


def pence(text: str) -> tuple[int, bool]:
    """Pounds as whole pence, exactly, and whether that took rounding.

    Raises:
        ValueError: not a finite number.
    """
    scaled = number(text).scaleb(2)
    rounded = scaled.quantize(Decimal(1), ROUND_HALF_UP)
    return int(rounded), rounded != scaled


def number(text: str) -> Decimal:
    """A plain decimal number, such as ``-12`` or ``0.425``. Raises ValueError: anything else, however Python reads it."""
    if not re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,12})?", text):
        raise ValueError(f"{text!r} is no number.")
    return Decimal(text)


def _item(line: RawLine, invoice: Invoice) -> Item | None:
    dirt = invoice.dirt
    code = " ".join(line.code.upper().split())
    if not re.fullmatch(r"[\x20-\x7e]{1,40}", code):
        dirt[Dirt.BAD_CODE] += 1
        return None
    if code in CODES_OF_NO_GOODS or code.startswith(VOUCHERS):
        dirt[Dirt.NO_GOODS] += 1
        return None
    try:
        quantity, price = number(line.quantity), number(line.price)
        price_minor, _ = pence(line.price)
    except ValueError:
        dirt[Dirt.BAD_NUMBER] += 1
        return None
    wrong = _why_skipped(quantity, price, invoice.cancels)
    if wrong:
        dirt[wrong] += 1
        return None
    name = " ".join("".join(letter for letter in line.description if letter.isprintable()).split())
    return Item(code, abs(int(quantity)), price_minor, name[:200])


def _why_skipped(quantity: Decimal, price: Decimal, cancels: bool) -> Dirt | None:
    if quantity != int(quantity):
        return Dirt.BAD_NUMBER
    if abs(quantity) > MOST_UNITS or abs(price) > MOST_POUNDS:
        return Dirt.TOO_LARGE
    if quantity == 0:
        return Dirt.NO_UNITS
    if (quantity < 0) != cancels:
        return Dirt.SALE_IN_CANCELLATION if cancels else Dirt.WRITE_OFF
    if price < 0:
        return Dirt.NEGATIVE_PRICE
    return None


def _with_or_without_gifts(kept: list[tuple[RawLine, Item]], invoice: Invoice) -> list[tuple[RawLine, Item]]:
    free = sum(item.price_minor == 0 for _, item in kept)
    if free == len(kept):
        invoice.dirt[Dirt.NOTHING_TO_PAY] += free
        return []
    invoice.dirt[Dirt.GIFT] += free
    return kept


def _note_what_is_odd(kept: list[tuple[RawLine, Item]], invoice: Invoice) -> None:
    dirt = invoice.dirt
    for line, item in kept:
        dirt[Dirt.ROUNDED] += pence(line.price)[1]
        dirt[Dirt.BAD_DATE] += not _is_date(line.date)
        dirt[Dirt.NO_DESCRIPTION] += not item.name
    if not invoice.cancels:
        dirt[Dirt.SAME_AGAIN] += len(kept) - len({(item.sku, item.price_minor) for _, item in kept})


def _name_customer(lines: list[RawLine], invoice: Invoice) -> None:
    if not lines:
        invoice.no_order = NoOrder.NOTHING_LEFT
        return
    if len({(line.customer, line.country) for line in lines}) > 1:
        invoice.no_order = NoOrder.TWO_CUSTOMERS
        return
    # "17850.0": a tool that took the column for numbers wrote the file. Anything unusable counts as missing.
    customer = re.fullmatch(r"([0-9]{1,12})(\.0)?", lines[0].customer)
    invoice.customer = customer[1] if customer else ""
    invoice.country = ISO_CODES.get(lines[0].country, "")
    if not invoice.customer:
        invoice.dirt[Dirt.NO_CUSTOMER] += len(lines)
    if holds_card_number(lines[0].customer[:LONGEST_CUSTOMER]):
        invoice.no_order = NoOrder.CARD_NUMBER
    elif not invoice.country:
        invoice.no_order = NoOrder.UNKNOWN_COUNTRY
    elif invoice.total_minor > MOST_TO_PAY:
        invoice.no_order = NoOrder.TOO_EXPENSIVE


def _is_date(text: str) -> bool:
    for form in DATE_FORMATS:
        try:
            datetime.strptime(text, form)  # noqa: DTZ007  (shop time, and only looked at)
        except ValueError:
            continue
        return True
    return False
