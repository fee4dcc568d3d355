"""Files that nobody should have made: one sentence that names the file and the line, and nothing is half done."""

from __future__ import annotations

import gzip
import re
import tracemalloc
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from inventory.models import Product, Receipt, Stock
from orders.models import Order, Outbox
from shop.management.commands import import_orders
from shop.tools.invoices.cleaning import clean
from shop.tools.invoices.reading import HEADER, LONGEST_ROW, MOST_LINES, FileError, read
from shop.tools.invoices.survey import survey
from shop.tools.invoices.tests.files import DATE, UK
from tests.fuzz.chance import tried

TOP = ",".join(HEADER).encode() + b"\r\n"
GOOD = f"1,A,x,1,{DATE},1.0,7,{UK}\r\n".encode()


def zipped() -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<row/>" * 1000)
    return file.getvalue()


REFUSED: dict[str, tuple[bytes, str]] = {
    "a spreadsheet": (zipped(), "is a spreadsheet or an archive.*, in line 1"),
    "compressed": (gzip.compress(TOP + GOOD), "is a spreadsheet or an archive.*, in line 1"),
    "UTF-16": ((TOP + GOOD).decode().encode("utf-16"), "is not UTF-8 text, in line 1"),
    "Latin 1 in one line": (TOP + GOOD + b"2,A,caf\xe9,1,,1,7,UK\r\n", "is not UTF-8 text, in line 3"),
    "half a character": (TOP + GOOD + b"2,A,\xed\xa0\x80,1,,1,7,UK\r\n", "is not UTF-8 text, in line 3"),
    "UTF-8 cut off": (TOP + GOOD + b"2,A,\xf0\x9f\x8c", "is not UTF-8 text, in line 3"),
    "a quote left open": (TOP + GOOD + b'2,"A,x\r\n' + GOOD * 3, "is not CSV: unexpected end of data, in line 6"),
    "a quote within": (TOP + b'2,"A"x,y\r\n' + GOOD, "is not CSV: .*, in line 2"),
    "a quote left open over very much": (TOP + b'2,"' + GOOD * 10_000, "is not CSV: field larger.*, in line [0-9]+"),
    "a line without an end": (TOP + b"2,A," + b"x" * 10_000_000, "has a row of more than 1,000,000 .*, in line 2"),
    "a line of commas": (TOP + b"," * 10_000_000, "has a row of more than 1,000,000 .*, in line 2"),
    "a row over many lines": (TOP + b'"a\n",' * 400_000, "has a row of more than 1,000,000 .*, in line [0-9]+"),
    "a huge cell": (TOP + b"2," + b"A" * 200_000 + b",x\r\n", "is not CSV: field larger.*, in line 2"),
    "an endless invoice": (TOP + GOOD * (MOST_LINES + 1), "has an invoice of more than 10,000 lines, in line 10002"),
    "semicolons": (TOP.replace(b",", b";") + GOOD, "has another header .*, in line 1"),
    "NUL only": (b"\0" * 1000, "has another header .*, in line 1"),
    "blanks only": (b" \r\n\t\r\n" * 1000, "is empty"),
}  # fmt: skip


def run(*files: Path, **options: Any) -> str:
    out = StringIO()
    call_command("import_orders", *map(str, files), stdout=out, stderr=out, no_wait=True, **options)
    return out.getvalue()


def nothing_is_there() -> bool:
    return not any(model._default_manager.exists() for model in (Order, Outbox, Product, Stock, Receipt))


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_in_one_sentence_with_its_line_and_nothing_is_done(
    name: str, tmp_path: Path
) -> None:
    content, words = REFUSED[name]
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(TOP + GOOD)
    bad.write_bytes(content)
    with pytest.raises(CommandError, match=rf"^\S+bad\.csv {words}\. Nothing was placed\.$"):
        run(good, bad)
    assert nothing_is_there()


@pytest.mark.parametrize(
    "file", ["x" * 300, "a" * 5000 + ".csv", "no/such/folder.csv", "/dev/zero", "/dev/null/x"]
)
@pytest.mark.django_db(databases="__all__")
def test_what_is_no_file_is_refused_in_one_sentence(file: str) -> None:
    with pytest.raises(
        CommandError, match=r"^(There is no file )?\S+ ?(can't be read: .*|is not a file)?\. Nothing was"
    ):
        run(Path(file))


@pytest.mark.parametrize("option", ["limit", "stock", "timeout"])
@pytest.mark.parametrize("text", ["0" * 5000, "9" * 5000, "-1", "1e400", "nan", "٣", "\0", "=1+1", "\u202e1"])
@pytest.mark.django_db(databases="__all__")
def test_an_option_that_is_no_number_is_refused_by_its_name(option: str, text: str, tmp_path: Path) -> None:
    if option == "timeout" and text == "0" * 5000:
        return  # zero seconds, at great length
    with pytest.raises(CommandError, match=f"^--{option} must be "):
        run(tmp_path / "a.csv", **{option: text})


@pytest.mark.django_db(databases="__all__")
def test_more_units_than_can_be_counted_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    rows = [f"{number},A,x,100000,{DATE},0.01,7,{UK}\r\n".encode() for number in range(10_001)]
    file.write_bytes(TOP + b"".join(rows))
    with pytest.raises(CommandError, match=r"^Invoice 10000 makes it more than 1,000,000,000 units of A"):
        run(file)
    assert nothing_is_there()


@pytest.mark.django_db(databases="__all__")
def test_of_a_file_that_was_changed_meanwhile_it_is_said_how_much_was_placed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(TOP + b"".join(GOOD.replace(b"1,A", b"%d,A" % number, 1) for number in range(1, 60)))

    def then_broken(*arguments: Any) -> Any:
        found = survey(*arguments)
        with file.open("ab") as more:
            more.write(b'99,"A\r\n')
        return found

    monkeypatch.setattr(import_orders, "survey", then_broken)
    with pytest.raises(
        CommandError, match=r"is not CSV.* in line 61\. 50 orders were placed before; the same command"
    ):
        run(file)
    assert Order.objects.count() == 50


# What people and programs put into cells: formulas, marks that turn the text round, control characters, huge numbers.
HOSTILE = st.sampled_from([
    *('=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(A1)", "\u202egnp.exe", "\u200f", "\ufeff", "\0", "\x1b[2J"),
    *("", " ", "'; DROP TABLE orders; --", "<script>alert(1)</script>", "{{7*7}}", "%s%n", "../../etc/passwd"),
    *("1e309", "-0", "9" * 400, "0.000000000001", "NaN", "inf", "\uff11", "\u0663", "1_000", "0x10", "1,5", "-1", "0"),
    *("C1", "c1", "C", "1" * 20, "1" * 21, "\ufb01" * 50, "A" * 200, "\ud7ff", "\U0010ffff", "a\nb", "\r", "7.0"),
    *("United Kingdom", "Mars", "17850", "2010-12-01 08:26:00", "0000-00-00", "99/99/9999 99:99", "1", "2", "2.55"),
])  # fmt: skip
CELL = HOSTILE | st.text(max_size=30) | st.integers().map(str) | st.decimals(allow_nan=True).map(str)
LIKELY = st.tuples(
    *(st.sampled_from(["1", "2", "C1"]) | CELL, st.sampled_from(["A", "B"]) | CELL, CELL),
    *(st.integers(-5, 100_001).map(str) | CELL, CELL, st.sampled_from(["1.25", "0", "3"]) | CELL),
    *(st.just("7") | CELL, st.just(UK) | CELL),
)
QUOTED = st.booleans()
END = st.sampled_from(["\r\n", "\n", "\r", "\n\r", "\u2028", ""])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Mostly a list of invoices; then something is broken in it."""
    text = [draw(st.sampled_from(["", "\ufeff", "\n"])), ",".join(HEADER), draw(END)]
    for row in draw(st.lists(LIKELY | st.lists(CELL, max_size=12).map(tuple), max_size=8)):
        quote = draw(QUOTED)
        text.append(",".join('"' + cell.replace('"', '""') + '"' if quote else cell for cell in row))
        text.append(draw(END))
    data = "".join(text).encode(draw(st.sampled_from(["utf-8"] * 6 + ["utf-16", "utf-8-sig"])), "replace")
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=8)) + data[at + draw(st.integers(0, 20)) :]
    return data


def read_all(file: Path) -> str:
    """The sentence that says why not; empty: all are invoices, and such as can be placed."""
    try:
        for raw in read([file]):
            invoice = clean(raw)
            assert all(0 < item.quantity <= 100_000 and len(item.sku) <= 40 for item in invoice.items)
            assert invoice.dirt.total() <= 20 * invoice.lines
    except FileError as error:
        return str(error)
    return ""


@given(data=files() | st.binary(max_size=500))
@tried(400)
def test_whatever_a_file_holds_it_is_invoices_or_one_sentence(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "hostile.csv"
    file.write_bytes(data)
    if sentence := read_all(file):
        assert sentence.startswith(str(file))
        assert sentence.isprintable()
        assert len(sentence) < len(str(file)) + 200


@pytest.mark.django_db(databases="__all__")
@given(data=files())
@tried(150)
def test_whatever_is_imported_is_placed_whole_or_refused_in_one_sentence(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "imported.csv"
    file.write_bytes(data)
    sentence = read_all(file)
    with transaction.atomic():
        if sentence:
            with pytest.raises(CommandError, match=f"^{re.escape(sentence)} Nothing was placed.$"):
                run(file)
            assert nothing_is_there()
        else:
            run(file)
            assert Order.objects.count() == Outbox.objects.filter(type="OrderCreated").count()
            assert not Order.objects.filter(lines=None).exists()
        transaction.set_rollback(True)


def test_memory_stays_small_whatever_the_row(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(TOP + b"x" * 50 * LONGEST_ROW)
    tracemalloc.start()
    with pytest.raises(FileError):
        list(read([file]))
    assert tracemalloc.get_traced_memory()[1] < 20 * LONGEST_ROW
    tracemalloc.stop()
