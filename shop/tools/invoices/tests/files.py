"""Files of invoice lines, as the tests write them."""

from __future__ import annotations

from pathlib import Path

from shop.tools.invoices.reading import HEADER

DATE = "2010-12-01 08:26:00"
UK = "United Kingdom"


def write(path: Path, *rows: str, header: str = ",".join(HEADER), encoding: str = "utf-8") -> Path:
    path.write_text("\r\n".join([header, *rows]) + "\r\n", encoding=encoding, newline="")
    return path
