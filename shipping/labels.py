"""A parcel's label as a PDF, in A6: whom it goes to, where it comes from, and the tracking number as a barcode."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.pagesizes import A6
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from orders.lookups import DeliveryAddress

WIDTH: float = A6[0]
HEIGHT: float = A6[1]
MM: float = mm
MARGIN = 7 * MM
INNER = WIDTH - 2 * MARGIN
PLAIN, BOLD = "Vera", "VeraBd"  # they come with reportlab
LEADING = 1.25
ADDRESS_SIZES = (15, 13, 11, 9.5, 8, 7)  # the largest that fits is taken
MISSING = "?"  # stands for a character the font lacks
WIDEST_BAR = 0.5 * MM
BAR_HEIGHT = 20 * MM


@dataclass(frozen=True)
class ParcelLabel:
    address: DeliveryAddress
    order_number: str
    warehouse: str
    tracking: str
    void: bool = False  # it was taken back and must not be used


def draw(label: ParcelLabel, *, compressed: bool = True) -> bytes:
    """The PDF: one page, the same bytes for the same label. No text leaves the page, however long it is."""
    _load_fonts()
    file = BytesIO()
    page = Canvas(file, pagesize=A6, pageCompression=int(compressed), invariant=1)
    page.setTitle(f"Label {label.order_number} {label.warehouse}")
    top = _draw_sender(page, label)
    bottom = _draw_tracking(page, label.tracking, bars=not label.void)
    _draw_address(page, label.address, top, bottom)
    if label.void:
        _stamp_void(page)
    page.showPage()
    page.save()
    return file.getvalue()


def _draw_sender(page: Canvas, label: ParcelLabel) -> float:
    y: float = HEIGHT - MARGIN
    for text, font, size in (
        (f"Order {label.order_number}", BOLD, 12),
        (f"From warehouse {label.warehouse}", PLAIN, 9),
    ):
        y = _write(page, wrapped(text, font, size, INNER)[:2], font, size, y)
    page.line(MARGIN, y - 2 * MM, WIDTH - MARGIN, y - 2 * MM)
    return y - 5 * MM


def _draw_tracking(page: Canvas, tracking: str, *, bars: bool) -> float:
    """At the foot of the page, from below; without bars no scanner takes it. Returns how high it reaches."""
    y: float = MARGIN
    lines = wrapped(tracking, BOLD, 11, INNER)
    for line in reversed(lines):
        page.setFont(BOLD, 11)
        page.drawCentredString(WIDTH / 2, y, line)
        y += 11 * LEADING
    if bars and tracking.isascii() and tracking.isprintable():  # what Code 128 can say
        one = Code128(tracking, barHeight=BAR_HEIGHT, barWidth=1, quiet=False)
        barcode = Code128(
            tracking, barHeight=BAR_HEIGHT, barWidth=min(WIDEST_BAR, INNER / one.width), quiet=False
        )
        barcode.drawOn(page, (WIDTH - barcode.width) / 2, y + 1 * MM)
        y += BAR_HEIGHT + 3 * MM
    page.line(MARGIN, y, WIDTH - MARGIN, y)
    return y + 3 * MM


def _draw_address(page: Canvas, address: DeliveryAddress, top: float, bottom: float) -> None:
    top = _write(page, ["Deliver to"], PLAIN, 8, top)
    parts = [
        (address.name, BOLD),
        (address.line1, PLAIN),
        (f"{address.postcode} {address.city}", PLAIN),
        (address.country, BOLD),
    ]
    for size in ADDRESS_SIZES:
        lines = [(line, font) for text, font in parts for line in wrapped(text, font, size, INNER)]
        room = int((top - bottom) / (size * LEADING))
        if len(lines) <= room:
            break
    if len(lines) > room:  # more than any carrier reads; say that it goes on
        lines = [*lines[: room - 1], ("…", PLAIN)]
    for line, font in lines:
        top = _write(page, [line], font, size, top)


def _write(page: Canvas, lines: Iterable[str], font: str, size: float, y: float) -> float:
    """Lines below ``y``. Returns where the next one goes."""
    page.setFont(font, size)
    for line in lines:
        page.drawString(MARGIN, y - size, line)
        y -= size * LEADING
    return y


def _stamp_void(page: Canvas) -> None:
    page.saveState()
    page.translate(WIDTH / 2, HEIGHT / 2)
    page.rotate(50)
    page.setFillGray(0.35, 0.75)
    page.setFont(BOLD, 80)
    page.drawCentredString(0, -28, "VOID")
    page.restoreState()


def wrapped(text: str, font: str, size: float, width: float) -> list[str]:
    """The text in lines of this width: broken between words, and within a word that is wider than a line."""
    _load_fonts()
    lines: list[str] = []
    line = ""
    for word in _pieces(printable(text, font), font, size, width):
        longer = f"{line} {word}" if line else word
        if pdfmetrics.stringWidth(longer, font, size) <= width:
            line = longer
        else:
            lines.append(line)
            line = word
    return [*lines, line] if line else lines


def _pieces(text: str, font: str, size: float, width: float) -> Iterator[str]:
    for word in text.split():
        piece = ""
        for character in word:
            if piece and pdfmetrics.stringWidth(piece + character, font, size) > width:
                yield piece
                piece = ""
            piece += character
        yield piece


def printable(text: str, font: str) -> str:
    """The text in characters the font has: an accent it lacks is dropped, another character becomes ``?``."""
    _load_fonts()
    glyphs = pdfmetrics.getFont(font).face.charToGlyph
    result = ""
    for character in unicodedata.normalize("NFC", text):
        if character.isspace():
            result += " "
        elif unicodedata.category(character).startswith("C"):
            continue  # control and direction marks: they have no shape
        elif ord(character) in glyphs:
            result += character
        elif not unicodedata.combining(character):
            base = unicodedata.normalize("NFKD", character)[0]
            result += base if ord(base) in glyphs else MISSING
    return result


@lru_cache(maxsize=1)
def _load_fonts() -> None:
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
