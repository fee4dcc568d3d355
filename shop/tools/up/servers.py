"""What the servers share: how a binary is found, and a started server handled."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shop.tools.up.children import Child


@dataclass(frozen=True)
class Server:
    """A server that runs, or ran: PostgreSQL, Redis; in tests a provider."""

    url: str
    child: Child

    @property
    def pid(self) -> int:
        return self.child.pid

    def stop(self) -> None:
        self.child.stop()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.child.kill()

    def restart(self) -> None:
        """Stop it, if it runs, and start it on the same port with the same data."""
        self.stop()
        for _attempt in range(10):  # after a SIGKILL the server's own children need a moment to leave
            self.child.start()
            if self.child.wait_ready(60):
                return
            time.sleep(0.2)
        raise RuntimeError(f"{self.child.program.name} did not come back; see {self.child.program.log}")


def package_folder(package: str) -> Path | None:
    """Where an installed package is, without importing it."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def on_path(names: tuple[str, ...], extra: str = "") -> Iterator[Path]:
    for name in names:
        if found := shutil.which(name):
            yield Path(found).resolve()
    if extra:
        yield from sorted(Path("/").glob(extra), reverse=True)


def plain_env() -> Mapping[str, str]:
    """The environment of a server: no secrets of the shop, and messages in English, since some are shown."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def last_complaint(text: str) -> str:
    """The line of a log that says why it ended."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    bad = [
        line
        for line in lines
        if any(word in line for word in ("FATAL", "PANIC", "rror", "Bad file", "denied"))
    ]
    return re.sub(r"^\d+:\w .*? # ", "", (bad or lines or ["it wrote nothing"])[-1])
