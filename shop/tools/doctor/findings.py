"""What the doctor says: what is wrong, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any


class Level(IntEnum):
    """Also the exit code of a command that has found nothing worse."""

    FINE = 0
    WORRY = 1  # it works, and will not always
    WRONG = 2  # something does not work, or is open to others, or can be lost

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """``check``: which one found it. ``what`` and ``do``: a sentence each."""

    level: Level
    check: str
    what: str
    do: str

    def as_object(self) -> dict[str, Any]:
        return {**asdict(self), "level": self.level.word}


@dataclass
class Report:
    """``checked``: the names of all that was looked at. The worst finding stands first. ``is_cut``: some look still;
    ``unknown``: could not look, as something they need is away."""

    checked: Sequence[str]
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    is_cut: bool = False
    unknown: Sequence[str] = ()

    @property
    def level(self) -> Level:
        return max((finding.level for finding in self.findings), default=Level.FINE)

    def as_object(self) -> dict[str, Any]:
        return {
            "level": self.level.word,
            "findings": [finding.as_object() for finding in self.findings],
            "checked": [*self.checked],
            "unknown": [*self.unknown],
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True)
class Scribe:
    """Makes the findings of one check."""

    check: str

    def wrong(self, what: str, do: str) -> Finding:
        return Finding(Level.WRONG, self.check, what, do)

    def worry(self, what: str, do: str) -> Finding:
        return Finding(Level.WORRY, self.check, what, do)


Findings = Iterator[Finding]


class Unknown(Exception):
    """Raised by a check that can't look, as something is away that has a check of its own."""


# What libraries put around what they have to say.
AROUND = re.compile(
    r"<urlopen error |>$|\[Errno -?\d+\] |Error -?\d+ connecting to [^ ]+ |"
    r"^connection failed: |^connection to .*? failed: "
)


def sentence(error: BaseException) -> str:
    """The first line of what an error says, to stand within a sentence."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    while (inner := AROUND.sub("", first)) != first:
        first = inner
    return first[:200].rstrip(".: ")
