"""What the shop is known to work with: the oldest that can do what it needs, and the newest it was tried with."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from shop.tools.doctor.findings import Finding, Findings, Scribe
from shop.tools.doctor.installation import Installation

SUPPORTED = {
    "Python": ((3, 11), (3, 13)),
    "PostgreSQL": ((15,), (18,)),
    "Valkey": ((7, 2), (9,)),
    "Redis": ((6, 2), (8,)),
    "RabbitMQ": ((3, 10), (4,)),
}
PIN = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==([\w.!+-]+)\s*(;[^#]*)?")
say = Scribe("versions")


def check(shop: Installation) -> Findings:
    yield from judged("Python", sys.version.split()[0], say)
    apart = [*_apart(shop.root / "requirements.txt")]
    if apart:
        yield say.worry(
            f"Other versions are installed than requirements.txt pins: {'; '.join(apart)}.",
            "Run `make run` once, or install requirements.lock with pip.",
        )


def judged(what: str, found: str, say: Scribe) -> Iterator[Finding]:
    """Whether a version, such as 18.6 or 9.1.0, is one that the shop is known to work with."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:3])
    oldest, newest = SUPPORTED[what]
    if numbers < oldest:
        yield say.wrong(
            f"{what} is {found}, which can't do all the shop needs.",
            f"Install {what} {_text(oldest)} or newer.",
        )
    elif numbers[: len(newest)] > newest:
        yield say.worry(
            f"{what} is {found}; the shop was tried with {_text(oldest)} to {_text(newest)}.",
            f"Try it before customers do, or install {what} {_text(newest)}.",
        )


def _apart(requirements: Path) -> Iterator[str]:
    text = requirements.read_text() if requirements.exists() else ""
    for line in text.splitlines():
        if not (pin := PIN.match(line)):
            continue
        try:
            installed = version(pin[1])
        except PackageNotFoundError:
            if not pin[3]:  # with a marker it may not be for this computer
                yield f"{pin[1]} {pin[2]} is missing"
            continue
        if installed != pin[2]:
            yield f"{pin[1]} is {installed} and not {pin[2]}"


def _text(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
