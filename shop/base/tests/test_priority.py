"""A process that gives way does so alone, and with its session only when it leads one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shop.base.priority import STEPS_BACK

CODE = "import os; from shop.base.priority import give_way; give_way(); print(os.nice(0))"
SHOW = f"{CODE}; print(open('/proc/self/autogroup').read())"


def gives_way(code: str, *, leads: bool) -> list[str]:
    """What a process prints that has given way, as words."""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        start_new_session=leads,
    )
    return ran.stdout.split()


def share_of_session() -> str | None:
    """How far this process's session has stepped back; None where the system does not share out among sessions.

    Linux has the file even then (in a container with processor limits, for instance), and nothing in it.
    """
    group = Path("/proc/self/autogroup")
    words = group.read_text().split() if group.exists() else []
    return words[-1] if words else None


@pytest.mark.parametrize("leads", [True, False], ids=["its own session", "somebody's session"])
def test_who_gives_way_does_so_wherever_it_runs(leads: bool) -> None:
    (nice,) = gives_way(CODE, leads=leads)
    assert int(nice) >= STEPS_BACK


@pytest.mark.skipif(share_of_session() is None, reason="this system does not share out among sessions")
@pytest.mark.parametrize("leads", [True, False], ids=["its own session", "somebody's session"])
def test_who_gives_way_takes_its_session_along_if_it_is_its_own(leads: bool) -> None:
    before = share_of_session()
    of_session = gives_way(SHOW, leads=leads)[-1]
    assert of_session == (str(STEPS_BACK) if leads else before)
    assert share_of_session() == before
