"""All staff pages look alike: colours stand in one file, and all names that are used for them are defined there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "shop" / "static" / "shop"
TOKENS = (STATIC / "tokens.css").read_text()
OTHERS = [path for path in STATIC.glob("*.css") if path.name != "tokens.css"]
OTHERS.append(ROOT / "orders" / "static" / "orders" / "admin.css")

PAPER = (
    "#fff"  # a mail's ground, as its reader has it; others may stand where the file of colours is not loaded
)


def names(pattern: str, css: str) -> set[str]:
    return set(re.findall(pattern, css))


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_no_other_file_has_colours_of_its_own_or_uses_names_that_nobody_defines(path: Path) -> None:
    css = path.read_text()
    own = names(r"(--[\w-]+):", css)
    assert names(r"var\((--[\w-]+)\)", css) <= names(r"(--[\w-]+):", TOKENS) | own
    assert "prefers-color-scheme" not in css
    assert names(r":[^;{}]*(#[0-9a-f]{3,6})\b", css) <= {PAPER} | names(r"var\(--[\w-]+, (#\w+)\)", css)


def test_each_colour_is_there_for_light_and_for_dark() -> None:
    colours = re.findall(r"(--[\w-]+): .*#[0-9a-f]{3,6}.*;", TOKENS)
    assert len(colours) >= 20
    assert re.findall(r"(--[\w-]+): light-dark\(#[0-9a-f]{3,6}, #[0-9a-f]{3,6}\);", TOKENS) == colours
