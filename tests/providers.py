"""The providers as real processes, for tests that call them without the rest of the shop."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from shop.tools.up.children import Child
from shop.tools.up.ports import free_port
from shop.tools.up.programs import Programs
from shop.tools.up.servers import Server

Answer = TypeVar("Answer")


def merged(groups: Iterable[Mapping[str, Answer]]) -> dict[str, Answer]:
    """All answers of a plural call, however they came; no key has two."""
    answers: dict[str, Answer] = {}
    for group in groups:
        assert not answers.keys() & group.keys()
        answers |= group
    return answers


@contextmanager
def running_provider(name: str, data: Path, *, slow: float = 0.5, down: float = 0.5) -> Iterator[Server]:
    """``name``: payments or carrier. ``slow``, ``down``: the seconds its test cards and addresses take.

    Its ledger is ``data``/<name>.sqlite3. It may be killed and started again: the port and the ledger stay.
    """
    timing = {"SANDBOX_SLOW_SECONDS": str(slow), "SANDBOX_DOWN_SECONDS": str(down)}
    port = free_port()
    program = Programs({**os.environ, **timing}, data).sandbox(name, port)
    provider = Server(f"http://127.0.0.1:{port}", Child(program))
    try:
        provider.restart()
        yield provider
    finally:
        provider.stop()
