"""What commands say: colours, bars, rates where somebody looks at a terminal; plain lines in pipes, CI, with NO_COLOR.

Rich is loaded only where there is a terminal.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

SAY_EVERY = 5.0  # s between two lines about progress, where a bar can't be drawn
# The levels are those of the pages; the rest is for what weighs more or less.
COLOURS = {
    "fine": "green",
    "done": "green",
    "now": "cyan",
    "waiting": "yellow",
    "undone": "magenta",
    "trouble": "bold red",
    "strong": "bold",
    "soft": "bright_black",
    "plain": "none",
}
Part = str | tuple[str, str]  # a text, or a text and its level


class Say(Protocol):
    def __call__(self, *parts: Part) -> None: ...


class Terminal:
    """One output of a command. ``live``: somebody looks at it."""

    def __init__(self, out: Any = None, *, colour: bool = True) -> None:
        """``out``: a stream, or Django's wrapper around one; stdout by default."""
        out = sys.stdout if out is None else out
        self.out = getattr(out, "_out", out)
        self.live = colour and is_watched(self.out)
        self._console: Console | None = None

    def say(self, *parts: Part) -> None:
        """A line. What was said is there at once, whoever reads."""
        if self.live:
            from rich.text import Text

            self.console.print(Text.assemble(*parts), soft_wrap=True)
            return
        self.out.write("".join(part if isinstance(part, str) else part[0] for part in parts) + "\n")
        self.out.flush()

    @property
    def console(self) -> Console:
        """Rich's, for what is drawn. Only where ``live``."""
        if self._console is None:
            from rich.console import Console
            from rich.theme import Theme

            theme = Theme(COLOURS)
            self._console = Console(file=self.out, force_terminal=True, theme=theme, highlight=False)
        return self._console

    @contextmanager
    def bars(self, *, lines: bool = True) -> Iterator[Bars]:
        """Bars until the end of the block. ``lines``: elsewhere a plain line now and then."""
        if not self.live:
            yield Bars(self, None, lines=lines)
            return
        with _progress(self.console) as progress:
            yield Bars(self, progress, lines=lines)


class Bars:
    def __init__(self, terminal: Terminal, progress: Progress | None, *, lines: bool) -> None:
        self.terminal, self.progress, self.lines = terminal, progress, lines

    def add(self, what: str, total: int | None = None) -> Bar:
        return Bar(self, what, total)


class Bar:
    """How far something has come: ``orders placed  120 of 500  53/s``."""

    def __init__(self, bars: Bars, what: str, total: int | None) -> None:
        self._bars, self._what, self._total = bars, what, total
        self._begun: tuple[float, int] | None = None
        self._next = time.monotonic() + SAY_EVERY
        self._task = bars.progress.add_task(what, total=total, note="") if bars.progress else None

    def show(self, done: int, note: str = "", total: int | None = None) -> None:
        """``note``: what else there is to say of it."""
        self._total = self._total if total is None else total
        if self._bars.progress is not None and self._task is not None:
            self._bars.progress.update(self._task, completed=done, total=self._total, note=note)
        elif self._bars.lines:
            self._line(done, note)

    def _line(self, done: int, note: str) -> None:
        now = time.monotonic()
        since, first = self._begun = self._begun or (now, done)
        if now < self._next:
            return
        self._next = now + SAY_EVERY
        of = "" if self._total is None else f" of {self._total:,}"
        rate = f", {(done - first) / (now - since):,.1f}/s" if now > since else ""
        self._bars.terminal.say(f"{self._what}: {done:,}{of}{rate}{f', {note}' if note else ''}.")


def is_watched(out: Any) -> bool:
    """Whether a person looks at it, and can be shown colours and lines that change."""
    if os.environ.get("NO_COLOR") or os.environ.get("CI") or os.environ.get("TERM") in ("dumb", None):
        return False
    try:
        return bool(out.isatty())
    except (AttributeError, ValueError):
        return False


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Count(ProgressColumn):
        def render(self, task: Task) -> Text:
            of = "" if task.total is None else f" of {task.total:,.0f}"
            return Text(f"{task.completed:,.0f}{of}", justify="right")

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f}/s" if speed else "", style="now", justify="right")

    columns = (
        TextColumn("  {task.description:<16}"),
        BarColumn(bar_width=32, complete_style="now", finished_style="fine"),
        Count(),
        Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", style="soft"),
    )
    return Progress(*columns, console=console, refresh_per_second=4)
