"""Where an error came from, for engineers: kept with the failure, bounded, without any value."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from shop.messaging.outcomes import in_a_word

MOST_FRAMES = 20  # of one error, the innermost
MOST_ERRORS = 3  # of a chain of errors that led to one another
MOST_LETTERS = 4_000
LIBRARIES = "site-packages/"


def trace(error: Exception) -> str:
    """The frames that an error came through, innermost last; before it, each error that led to it. No local values:
    those are people's data. Empty: it was never raised, but answered.
    """
    told = "\n".join(line for one in _chain(error) for line in _lines(one))
    if len(told) > MOST_LETTERS:
        told = "…" + told[1 - MOST_LETTERS :]
    return told.replace("\0", "")  # which no column takes


def _chain(error: BaseException) -> list[BaseException]:
    """The first cause first."""
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found and len(found) < MOST_ERRORS:
        found.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found[::-1]


def _lines(error: BaseException) -> Iterator[str]:
    frames = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), limit=-MOST_FRAMES)
    for frame in frames:
        yield f"{_short(frame.filename)}:{frame.lineno} in {frame.name}"
        if frame.line:
            yield f"    {frame.line}"
    if frames and isinstance(error, Exception):
        yield in_a_word(error)


def _short(name: str) -> str:
    if LIBRARIES in name:
        return name.rpartition(LIBRARIES)[2]
    path = Path(name)
    return str(path.relative_to(settings.BASE_DIR)) if path.is_relative_to(settings.BASE_DIR) else name
