"""What is installed, as the lock files pin it: `make lock` makes them of requirements*.txt and constraints.txt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from django.conf import settings

RUNTIME, TRACES, DEVELOPMENT = "requirements", "requirements-otel", "requirements-dev"
LINE = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(\[[^]]*\])?==(?P<version>[^\s;\\]+)\s*(;\s*(?P<marker>[^\\#]+))?"
)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
VENDORED = Path("shop/static/shop/vendor/README.md")


@dataclass(frozen=True)
class Package:
    """``marker``: on which computers it is installed, if not on all. ``hashes``: of its files, one for each platform."""

    name: str
    version: str
    marker: str
    hashes: Sequence[str] = ()


@dataclass(frozen=True)
class Script:
    """JavaScript that others wrote and that lies in this repository."""

    file: str
    package: str
    version: str


def locked(which: str) -> dict[str, Package]:
    """The lock file of ``which``, by name."""
    text = _file(f"{which}.lock").replace("\\\n", " ")
    return {package.name: package for package in _packages(text)}


def shipped() -> dict[str, Package]:
    """What runs the shop, and what traces need on top."""
    return dict(sorted((locked(TRACES) | locked(RUNTIME)).items()))


def wanted(which: str) -> dict[str, Package]:
    """The pins of ``which``, which people write."""
    return {package.name: package for package in _packages(_file(f"{which}.txt"))}


def constraints() -> dict[str, Package]:
    return {package.name: package for package in _packages(_file("constraints.txt"))}


def needed_by(name: str) -> set[str]:
    """What a package that is installed asks for, with whatever extra and on whatever computer."""
    try:
        found = metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # not for this computer
        return set()
    return {normal(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in found}


def scripts() -> list[Script]:
    rows = re.findall(r"^\| `([^`]+)` \| ([^ ]+) \| ([^ ]+) \|", _file(str(VENDORED)), re.MULTILINE)
    return [Script(*row) for row in rows]


def normal(name: str) -> str:
    """As indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _packages(text: str) -> Iterator[Package]:
    for line in text.splitlines():
        if match := LINE.match(line):
            marker = re.split(r"\s+--hash", match["marker"] or "")[0].strip()
            yield Package(normal(match["name"]), match["version"], marker, HASH.findall(line))


def _file(name: str) -> str:
    return (Path(settings.BASE_DIR) / name).read_text()
