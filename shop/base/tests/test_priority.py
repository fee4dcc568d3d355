"""A process that gives way does so alone, and with its session only when it leads one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shop.base.priority import STEPS_BACK

CODE = "import os; from shop.base.priority import give_way; give_way(); print(os.nice(0), open({group!r}).read())"
GROUP = Path("/proc/self/autogroup")


@pytest.mark.skipif(not GROUP.exists(), reason="only Linux shares out among sessions")
@pytest.mark.parametrize("leads", [True, False], ids=["its own session", "somebody's session"])
def test_who_gives_way_takes_its_session_along_if_it_is_its_own(leads: bool) -> None:
    before = GROUP.read_text().split()[-1]
    command = [sys.executable, "-c", CODE.format(group=str(GROUP))]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=True, start_new_session=leads
    )
    nice, *_, of_session = ran.stdout.split()
    assert int(nice) >= STEPS_BACK
    assert of_session == (str(STEPS_BACK) if leads else before)
    assert GROUP.read_text().split()[-1] == before
