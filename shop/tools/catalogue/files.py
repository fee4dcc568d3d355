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


def stale(root: Path | None = None) -> list[str]:
    """The files that are not as the code says."""
    root = root or settings.BASE_DIR
    return [
        name
        for name, made in FILES.items()
        if not (root / name).exists() or (root / name).read_text() != made()
    ]


def write(root: Path | None = None) -> list[str]:
    """Write those that are not. Returns their names."""
    root = root or settings.BASE_DIR
    names = stale(root)
    for name in names:
        (root / name).write_text(FILES[name]())
    return names
