"""The picture of a product: a drawing of its kind, which its name tells, in a colour of its own. The same each time.

The drawings are symbols of ``shop/static/store/pictures.svg``; a product of no known kind gets its first letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from zlib import crc32

# The first that fits; so what is the thing stands before what it is made for or made of.
KINDS = (
    ("teapot", "teapot|kettle"),
    ("owl", "owl|night light"),
    ("candle", "t-?light|candle|lantern"),
    ("mug", "mug|cup|beaker"),
    ("umbrella", "umbrella|parasol"),
    ("bag", "bag|tote|purse"),
    ("clock", "clock|watch"),
    ("lamp", "lamp|light|shade"),
    ("card", "cards?|envelope|notebook|paper|wrap|sticker"),
    ("cake", "cakes?|cakestand|cases|baking|jelly"),
    ("tea", "tea|grey|coffee|peppermint"),
    ("tin", "tins?|box|boxes|storage|drawer|trinket"),
    ("bottle", "bottle|jug|vase|drink"),
    ("plate", "plates?|bowls?|dish|tray|saucer"),
    ("cushion", "cushion|pillow|blanket|towel|apron|mat|doormat"),
    ("frame", "frame|photo|picture|mirror|sign|chalkboard"),
    ("star", "stars?|christmas|xmas|decoration|bauble|tree|garland|bunting"),
    ("flower", "flowers?|rose|garden|daisy|poppy|plant"),
    ("heart", "hearts?|love"),
    ("toy", "toy|doll|teddy|game|play|spaceboy|babushka|jigsaw|bear|rabbit"),
)
PATTERNS = [(kind, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for kind, words in KINDS]
TONES = ("red", "blue", "green", "gold", "plum", "teal", "rose", "slate")  # as store.css has them
COLOURS = {
    "red": "red", "blue": "blue", "green": "green", "mint": "green", "peppermint": "green", "pink": "rose",
    "gold": "gold", "yellow": "gold", "jute": "gold", "purple": "plum", "silver": "slate", "white": "slate",
    "black": "slate",
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """``kind``: a symbol's name; empty: ``letter`` is drawn."""

    kind: str
    tone: str
    letter: str


def picture(sku: str, name: str) -> Picture:
    text = f"{name} {sku}"
    kind = next((kind for kind, pattern in PATTERNS if pattern.search(name)), "")
    named = (COLOURS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in COLOURS)
    tone = next(named, TONES[crc32(sku.encode()) % len(TONES)])
    letter = next((letter for letter in text if letter.isalnum()), "?")
    return Picture(kind, tone, letter.upper())
