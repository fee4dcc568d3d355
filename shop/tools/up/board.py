"""What `up` shows while the shop starts: each part under its kind, ticked as it is ready. In a pipe: the phases alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings

from shop.base.terminal import Terminal
from shop.tools.up.stack import SANDBOXES

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

READY, COMING = "✓", "·"
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
ROOMY = 90  # columns
TURNS = 10  # of the spinner's letters in a second
SERVERS = ("postgres", "redis")
DATABASE, CATALOGUE = "tables", "demo catalogue"
PARTS: dict[str, dict[str, str]] = {  # by kind: a part's name for people, by its process
    "servers": dict(zip(SERVERS, ("PostgreSQL", "Valkey"), strict=True)),
    "database": {DATABASE: DATABASE, CATALOGUE: CATALOGUE},
    "outside": {name: name for name in SANDBOXES},
    "workers": {
        **{name: name for name in ("relay", "webhooks")},
        **{f"worker-{service}": service for service in settings.SERVICES},
    },
    "pages": {"web": "web", "flower": "Flower", "metrics": "metrics"},
}


class Board:
    """Drawn where a person looks; without a thread of its own, since children are forked off beside it."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._begun = time.monotonic()
        self._ready: set[str] = set()
        self._phase = "Starting the servers."
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[Board]:
        """Until the end of the block; then the last look at it stays, if all went well."""
        if not self._terminal.live:
            yield self
            return
        from rich.live import Live

        self._live = Live(self._drawn(), console=self._terminal.console, auto_refresh=False)
        with self._live:
            yield self
            self._phase = ""
            self.turn()
        self._live = None

    def phase(self, sentence: str) -> None:
        """What begins now."""
        self._phase = sentence
        if self._live is None:
            self._terminal.say(sentence)
        self.turn()

    def ready(self, *names: str) -> None:
        self._ready.update(names)
        self.turn()

    def turn(self, readiness: Mapping[str, bool] | None = None) -> None:
        """Draw it anew. ``readiness``: which processes are ready."""
        self._ready.update(name for name, ready in (readiness or {}).items() if ready)
        if self._live is not None:
            self._live.update(self._drawn(), refresh=True)

    def _drawn(self) -> Text:
        from rich.text import Text

        gap = "   " if self._terminal.console.width > ROOMY else " "
        text = Text()
        for kind, parts in PARTS.items():
            text.append(f"  {kind:<10}", "soft")
            for name, called in parts.items():
                ready = name in self._ready
                text.append(f"{READY if ready else COMING} ", "fine" if ready else "soft")
                text.append(f"{called}{gap}", "plain" if ready else "soft")
            text.append("\n")
        if self._phase:
            passed = time.monotonic() - self._begun
            turning = SPINNER[int(passed * TURNS) % len(SPINNER)]
            text.append(f"\n{turning} {self._phase} ", "now").append(f"{passed:.0f} s", "soft")
        return text
