"""CSV files of invoice lines, read invoice by invoice: never more than one invoice is in memory."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

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
LONGEST_ROW = 1_000_000  # characters
MOST_LINES = 10_000  # of an invoice; the data set's longest has 1,114
ARCHIVES = ("PK\x03\x04", "\x1f\udc8b")  # ZIP, which .xlsx and .ods are, and gzip
UNDECODED = re.compile("[\udc80-\udcff]")


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
        FileError: a file is missing, empty, no UTF-8, no CSV, of another shape, or beyond all sizes.
    """
    for path in paths:
        yield from _read_one(path)


def _read_one(path: Path) -> Iterator[RawInvoice]:
    try:
        if path.exists() and not path.is_file():
            raise FileError(f"{path} is not a file.")
        # What is no UTF-8 is let in here, so that the line it stands in can be named.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from _invoices(path, _Rows(path, file))
    except FileNotFoundError:
        raise FileError(f"There is no file {path}.") from None
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror}.") from None


class _Rows:
    """The rows of a file that are not blank. What is no row is said with the line it ends in."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self._path, self._file = path, file
        self.at = 0  # the line it has come to
        self._size = 0  # characters since the last row

    def __iter__(self) -> Iterator[list[str]]:
        # Strict: an unclosed quote is an error instead of a line that swallows all others.
        rows = csv.reader(self._lines(), strict=True)
        try:
            for row in rows:
                self._size = 0
                if any(cell.strip() for cell in row):
                    yield row
        except csv.Error as error:
            raise self.error(f"is not CSV: {error}") from None

    def error(self, what: str) -> FileError:
        return FileError(f"{self._path} {what}, in line {max(self.at, 1)}.")

    def _lines(self) -> Iterator[str]:
        while line := self._file.readline(LONGEST_ROW + 1):
            self.at += 1
            self._size += len(line)
            if self.at == 1 and line.startswith(ARCHIVES):
                raise self.error("is a spreadsheet or an archive: save what is in it as CSV, in UTF-8")
            if not line.isascii() and UNDECODED.search(line):
                raise self.error("is not UTF-8 text")
            if self._size > LONGEST_ROW:
                raise self.error(f"has a row of more than {LONGEST_ROW:,} characters")
            yield line


def _invoices(path: Path, rows: _Rows) -> Iterator[RawInvoice]:
    current: RawInvoice | None = None
    checked = iter(rows)
    header = next(checked, None)
    if header is None:
        raise FileError(f"{path} is empty.")
    if tuple(cell.strip() for cell in header) != HEADER:
        raise rows.error(f"has another header than {','.join(HEADER)}")
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
        if len(current.lines) > MOST_LINES:
            raise rows.error(f"has an invoice of more than {MOST_LINES:,} lines")
    if current is None:
        raise FileError(f"{path} has a header and no lines.")
    yield current
