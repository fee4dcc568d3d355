"""Files become invoices of raw lines, or one sentence that says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from shop.tools.invoices.cleaning import NoOrder, clean
from shop.tools.invoices.reading import HEADER, FileError, read
from shop.tools.invoices.tests.files import DATE, UK, write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_consecutive_lines_of_a_number_are_one_invoice(tmp_path: Path, encoding: str) -> None:
    first, second = f"1,A,x,1,{DATE},1.0,7,{UK}", f'2,B,"a, b",1,{DATE},1.0,7,{UK}'
    file = write(tmp_path / "a.csv", first, first, "", second, encoding=encoding)
    invoices = list(read([file]))
    assert [(i.number, [line.code for line in i.lines]) for i in invoices] == [
        ("1", ["A", "A"]),
        ("2", ["B"]),
    ]
    assert invoices[1].lines[0].description == "a, b"


def test_a_line_with_other_columns_is_counted_and_parts_no_invoice(tmp_path: Path) -> None:
    good = f"1,A,x,1,{DATE},1.0,7,{UK}"
    [invoice] = read([write(tmp_path / "a.csv", "1,2", good, f"{good},more", good)])
    assert (invoice.number, len(invoice.lines), invoice.misshapen) == ("1", 2, 2)


def test_a_file_of_nothing_but_misshapen_lines_is_an_invoice_of_nothing(tmp_path: Path) -> None:
    [raw] = read([write(tmp_path / "a.csv", "1,2")])
    assert clean(raw).no_order is NoOrder.NOTHING_LEFT


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"There is no file .*a\.csv\."),
        (b"", r".*a\.csv is empty\."),
        (b"\r\n\r\n", r".*a\.csv is empty\."),
        (",".join(HEADER).encode(), r".*a\.csv has a header and no lines\."),
        (b"one,two\r\n", r".*a\.csv has another header than InvoiceNo,.*, in line 1\."),
        (
            ",".join(HEADER).encode() + b"\r\n1,A,\xa31 mug,1,,1,,UK",
            r".*a\.csv is not UTF-8 text, in line 2\.",
        ),
        (
            ",".join(HEADER).encode() + b'\r\n1,"A,x,1,,1,,UK\r\n',
            r".*a\.csv is not CSV: unexpected end of data, in line 2\.",
        ),
    ],
)
def test_a_file_that_is_no_list_of_invoices_is_one_sentence(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "a.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(FileError, match=f"^{words}$"):
        list(read([file]))


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is not a file"):
        list(read([tmp_path]))


def test_never_more_than_one_invoice_is_read_ahead(tmp_path: Path) -> None:
    rows = [f"{number},A,x,1,{DATE},1.0,7,{UK}" for number in range(5000)]
    invoices = read([write(tmp_path / "a.csv", *rows, '1,"broken')])
    assert next(invoices).number == "0"
