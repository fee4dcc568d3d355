"""Where the catalogue stands in the repository, and whether it is as the code says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from django.conf import settings

from shop.tools.catalogue import asyncapi, page, schemas

FILES: Mapping[str, Callable[[], str]] = {
    "docs/events.md": page.page,
    "docs/asyncapi.yaml": asyncapi.document,
    "docs/events.schema.json": lambda: json.dumps(schemas.document(), indent=1, ensure_ascii=False) + "\n",
}


def stale() -> list[str]:
    """The files that are not as the code says."""
    return [*_stale()]


def write() -> list[str]:
    """Write those that are not. Returns their names."""
    found = _stale()
    for name, text in found.items():
        (Path(settings.BASE_DIR) / name).write_text(text)
    return [*found]


def _stale() -> dict[str, str]:
    """And what they should be."""
    root = Path(settings.BASE_DIR)
    made = {name: make() for name, make in FILES.items()}
    return {
        name: text
        for name, text in made.items()
        if not (root / name).exists() or (root / name).read_text() != text
    }
