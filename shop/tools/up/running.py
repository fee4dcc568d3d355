"""How the other commands find the shop that `up` runs: by a file in its data folder, there as long as it runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shop.tools.up.datafolder import JsonFile

FILE = "environment.json"
SHARED = (
    "REDIS_URL",
    "BROKER_URL",
    "SECRET_KEY",
    "PUBLIC_URL",
    "FULFILLMENT_STYLE",
    "PAYMENTS_URL",
    "CARRIER_URL",
    "PAYMENTS_GATEWAY",
    "CARRIER",
    "SHOP_DATA",
)


@contextmanager
def findable(data: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Say in the data folder where everything is, readable by its owner only, until the shop stops."""
    shared = {name: value for name, value in env.items() if name in SHARED or name.endswith("DATABASE_URL")}
    JsonFile(data / FILE).write(shared)
    try:
        yield
    finally:
        (data / FILE).unlink(missing_ok=True)


def use_the_running_shop(default: Path) -> None:
    """Take the environment of the shop that runs on $SHOP_DATA (or `default`), where none is set and one runs."""
    if os.environ.get("DATABASE_URL"):
        return
    try:
        found = json.loads((Path(os.environ.get("SHOP_DATA", default)) / FILE).read_text())
    except (OSError, ValueError):
        return
    for name, value in found.items():
        os.environ.setdefault(name, value)
