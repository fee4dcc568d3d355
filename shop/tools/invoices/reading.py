"""CSV files of invoice lines, read invoice by invoice: never more than one invoice is in memory."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

HEADER = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)


class FileError(Exception):
    """A file that cannot be read as invoices. The message is one sentence that names it."""


@dataclass(frozen=True)
class RawLine:
    """One line as it stands in the file, stripped of outer blanks."""

    code: str
    description: str
    quantity: str
    date: str
    price: str
    customer: str
    country: str


@dataclass
class RawInvoice:
    """Consecutive lines of one invoice number. ``misshapen``: lines among them with too few or too many columns."""

    number: str
    lines: list[RawLine] = field(default_factory=list)
    misshapen: int = 0


def read(paths: Iterable[Path]) -> Iterator[RawInvoice]:
    """All invoices of the files, in sequence.

    Raises:
        FileError: a file is missing, empty, no UTF-8, no CSV, or of another shape.
    """
    for path in paths:
        yield from _read_one(path)


def _read_one(path: Path) -> Iterator[RawInvoice]:
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is not a file.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # Strict: an unclosed quote is an error instead of a line that swallows all others.
            yield from _invoices(path, csv.reader(file, strict=True))
    except FileNotFoundError:
        raise FileError(f"There is no file {path}.") from None
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror}.") from None
    except UnicodeError:
        raise FileError(f"{path} is not UTF-8 text.") from None


def _invoices(path: Path, rows: Iterator[list[str]]) -> Iterator[RawInvoice]:
    current: RawInvoice | None = None
    checked = _checked(path, rows)
    header = next(checked, None)
    if header is None:
        raise FileError(f"{path} is empty.")
    if tuple(cell.strip() for cell in header) != HEADER:
        raise FileError(f"{path} has another header than {','.join(HEADER)}.")
    for row in checked:
        if len(row) != len(HEADER):
            current = current or RawInvoice("")
            current.misshapen += 1
            continue
        number, *cells = (cell.strip() for cell in row)
        if current is None or (current.number and current.number != number):
            if current:
                yield current
            current = RawInvoice(number)
        current.number = number
        current.lines.append(RawLine(*cells))
    if current is None:
        raise FileError(f"{path} has a header and no lines.")
    yield current


def _checked(path: Path, rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows that are not blank; what is no CSV is said with its line."""
    at = 0
    try:
        for row in rows:
            at = getattr(rows, "line_num", at)
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise FileError(f"{path} is not CSV: {error}, after line {at}.") from None
