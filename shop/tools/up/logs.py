"""Logs that do not grow for ever: what has become too large is set aside, and of those so many are kept.

Where a process goes on by itself in a new file, the old one is renamed, and no line is lost. PostgreSQL does not: its log
is copied and emptied, and a line written in the microseconds between the two would be lost.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from django.conf import settings


def rotate(log: Path, *, follows: bool) -> bool:
    """Set the log aside if it is too large. ``follows``: whoever writes it goes on in a new one. Returns whether it was.

    `web.log` becomes `web.log.1`, and that becomes `web.log.2`; the last goes.
    """
    try:
        if log.stat().st_size <= settings.LOG_SIZE_MB * 1e6:
            return False
        for number in range(settings.LOG_KEPT, 1, -1):
            if aside(log, number - 1).exists():
                aside(log, number - 1).replace(aside(log, number))
        if follows:
            log.replace(aside(log, 1))
        else:
            _empty(log)
    except OSError:  # a full disk, say: it is tried again, and nobody's work depends on it
        return False
    return True


def aside(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")


def _empty(log: Path) -> None:
    """Its writers append, wherever its end is."""
    with log.open("rb") as whole, aside(log, 1).open("wb") as copy:
        shutil.copyfileobj(whole, copy)
    os.truncate(log, 0)
