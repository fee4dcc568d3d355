"""How tests ask the doctor, and what they may hear."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shop.tools.doctor.findings import Finding, Level
from shop.tools.doctor.installation import Installation
from shop.tools.doctor.run import checks_of

KEY = "Zq3v" * 4 + "oP9-xW_7" * 6
# With databases apart, the tests' one server has too few connections for all there may be.
CROWDED = "may want"
Shop = Callable[..., Installation]


def found_by(name: str, shop: Installation) -> list[Finding]:
    apart = len(shop.databases) > 1
    return [finding for finding in checks_of(shop)[name]() if not (apart and CROWDED in finding.what)]


def one(findings: list[Finding], level: Level, *words: str) -> Finding:
    """The only finding there is, with these words in it."""
    assert [finding.level for finding in findings] == [level], findings
    (finding,) = findings
    for word in words:
        assert word in f"{finding.what} {finding.do}", finding
    return finding


@contextmanager
def silent() -> Iterator[int]:
    """A port that lets everybody in, and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        yield listening.getsockname()[1]
