"""How the other commands find the shop that `up` runs: by a file in its data folder, there as long as it runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
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


def named_shop(arguments: Sequence[str]) -> tuple[list[str], Path | None]:
    """A command's arguments without ``--data DIR``, and that folder: which shop is meant, as `up` was told it."""
    rest, named = list(arguments), None
    for place, argument in enumerate(rest):
        if argument == "--data" and place + 1 < len(rest):
            named = rest[place + 1]
            del rest[place : place + 2]
            break
        if argument.startswith("--data="):
            named = argument.removeprefix("--data=")
            del rest[place]
            break
    return rest, Path(named).expanduser().absolute() if named else None


def use_the_running_shop(default: Path, named: Path | None = None) -> None:
    """Take the environment of the shop that runs on `named`; else of the one on $SHOP_DATA (or `default`), where none is
    set and one runs. Ends the program where no shop runs on the folder that was named.
    """
    if named is None and os.environ.get("DATABASE_URL"):
        return
    try:
        found = json.loads(((named or Path(os.environ.get("SHOP_DATA", default))) / FILE).read_text())
    except (OSError, ValueError):
        if named and named.is_file():
            raise SystemExit(f"{named} is a file, so no shop runs on it: name its data folder.") from None
        if named:
            raise SystemExit(
                f'No shop runs on {named}: start it with `make run ARGS="--data {named}"`.'
            ) from None
        return
    for name, value in found.items():
        if named:
            os.environ[name] = value
        else:
            os.environ.setdefault(name, value)
