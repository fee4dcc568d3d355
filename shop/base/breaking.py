"""How the page that breaks things tells `up`, which owns the processes, and how `up` tells what came of it.

By files in the data folder, which are the owner's alone. Only where the demo runs (settings.DEMO).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

import msgspec

KEPT = 12  # of what happened, the latest


class Way(StrEnum):
    """A way to break something."""

    KILL = "kill"  # SIGKILL: it gets no chance to put anything in order
    FLUSH = "flush"  # every message of the broker thrown away
    AWAY = "away"  # stopped, and kept from starting for a while


class Wish(msgspec.Struct, frozen=True):
    """``whom``: a process by its name; empty for the broker."""

    way: Way
    whom: str = ""


class Broken(msgspec.Struct, kw_only=True):
    """What was done, when, and after how many seconds it was as before; None: it is not yet."""

    way: Way
    whom: str
    at: datetime
    seconds: float = 0.0  # for which it is kept away
    lost: int = 0  # messages
    back_after: float | None = None
    refused: str = ""  # why nothing was done


class Told(msgspec.Struct, kw_only=True):
    """``since``: when the shop was started. ``processes``: those that can be killed, and whether each is up."""

    since: datetime
    processes: dict[str, bool]
    broken: list[Broken] = []


class Channel:
    def __init__(self, data: Path) -> None:
        self._folder = data / "crash"

    # --- The page's side ----------------------------------------------------------------------------------------

    def ask(self, wish: Wish) -> None:
        self._write(self._folder / f"wish-{uuid4()}", msgspec.json.encode(wish))

    def told(self) -> Told | None:
        """None: nobody listens."""
        try:
            return msgspec.json.decode((self._folder / "told").read_bytes(), type=Told)
        except (OSError, msgspec.MsgspecError):
            return None

    def accept(self, keys: Iterable[int]) -> None:
        """Note orders that were promised to somebody, where no crash of the shop can reach."""
        handle = os.open(self._folder / "accepted", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write("".join(f"{key}\n" for key in keys))

    def accepted(self) -> list[int]:
        try:
            return [int(line) for line in (self._folder / "accepted").read_text().splitlines()]
        except OSError:
            return []

    # --- The side of `up` ---------------------------------------------------------------------------------------

    def open(self) -> None:
        """From now on somebody listens. What an earlier run left unread is thrown away."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for path in self._folder.iterdir():
            path.unlink()

    def wishes(self) -> Iterator[Wish]:
        """Each once."""
        for path in sorted(self._folder.glob("wish-*")):
            with suppress(OSError, msgspec.MsgspecError):
                raw = path.read_bytes()
                path.unlink()
                yield msgspec.json.decode(raw, type=Wish)

    def tell(self, told: Told) -> None:
        self._write(self._folder / "told", msgspec.json.encode(told))

    def close(self) -> None:
        with suppress(OSError):
            (self._folder / "told").unlink()

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        """As a whole, under its name only when it is."""
        fresh = path.with_name(f".{path.name}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        fresh.replace(path)
