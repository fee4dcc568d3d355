"""Which papers are made, and whether they are as they should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from django.conf import settings

from shop.tools.papers import licences, parts
from shop.tools.papers import settings as of_settings

PAPERS: Mapping[str, Callable[[], str]] = {
    "docs/settings.md": of_settings.page,
    "docs/licences.md": licences.page,
    "docs/sbom.cdx.json": parts.document,
}


def stale() -> dict[str, str]:
    """The papers that are not as they should be, and what they should be."""
    made = {name: make() for name, make in PAPERS.items()}
    return {name: text for name, text in made.items() if _read(name) != text}


def write() -> list[str]:
    """Write those. Returns their names."""
    found = stale()
    for name, text in found.items():
        (Path(settings.BASE_DIR) / name).write_text(text)
    return [*found]


def _read(name: str) -> str | None:
    path = Path(settings.BASE_DIR) / name
    return path.read_text() if path.exists() else None
