"""A shop to be attacked: a web process on databases of its own, with as much patience as a generator needs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fuzz.attack import Attack, Found, Running
from tests.web import running_web

# The brakes are for people and programs that mean well, or ill, and have their own tests.
BRAKES = ("PLACING", "GUEST", "CHANGING", "READING", "LOGIN", "GUESS", "ACCOUNT_GUESS")
WITHOUT = {**{f"{name}_RATE": "1000000/second" for name in BRAKES}, "ADMISSION_MAX_AGE": "0"}


@contextmanager
def running_shop(env: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Its address. Nobody fulfils what is ordered there."""
    with running_web({**os.environ, **WITHOUT, **env}, folder / "web") as web:
        yield web.url


def attack_all(
    attacks: list[Attack], url: str, world: Mapping[str, Any], folder: Path
) -> dict[Attack, Found]:
    """All at the same time: one generates while the other waits for an answer."""
    running: dict[Attack, Running] = {}
    try:
        for attack in attacks:
            running[attack] = Running(attack, url, world, folder / attack.name.replace(" ", "-"))
        return {attack: one.found() for attack, one in running.items()}
    finally:
        for one in running.values():
            one.stop()
