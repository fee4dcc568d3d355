"""How the other commands find the shop that `up` runs: by a file in its data folder, there as long as it runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from shop.base.environment import Refused
from shop.tools.up.datafolder import JsonFile

FILE = "environment.json"
OF_EACH_PROCESS = (
    "PAGES",
    "LOG_EVENTS",
    "DATABASE_STATEMENT_TIMEOUT",
)  # what manage.py sets by what the command is


@contextmanager
def findable(data: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Say in the data folder where everything is, readable by its owner only, until the shop stops. What is not set is
    told as well: who names this shop may have it set, for another."""
    from django.conf import settings  # only here: manage.py needs the rest before there are any

    shared = {name: env.get(name) for name in settings.ENVIRONMENT.known if name not in OF_EACH_PROCESS}
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
            raise Refused(f"{named} is a file, so no shop runs on it: name its data folder.") from None
        if named:
            why = f'No shop runs on {named}: start it with `make run ARGS="--data {named}"`.'
            raise Refused(why) from None
        return
    for name, value in found.items():
        if value is None:
            if named:
                os.environ.pop(name, None)
        elif named or not os.environ.get(name):
            os.environ[name] = value
