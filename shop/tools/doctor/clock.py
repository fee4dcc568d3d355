"""Whether two clocks agree. The shop measures time on the database's; others are shown to people, and end tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from shop.tools.doctor.findings import Finding, Scribe

WORRY, WRONG = 2.0, 60.0  # s apart
DO = "Let NTP (chrony, systemd-timesyncd) set the clocks of both hosts."


def compared(whose: str, ask: Callable[[], float], say: Scribe) -> Iterator[Finding]:
    """``ask``: its seconds since the epoch."""
    before = time.time()
    there = ask()
    after = time.time()
    apart = there - (before + after) / 2
    if abs(apart) - (after - before) / 2 < WORRY:
        return
    which = "ahead of" if apart > 0 else "behind"
    tell = say.wrong if abs(apart) >= WRONG else say.worry
    yield tell(f"The clock of {whose} is {abs(apart):,.0f} s {which} this computer's.", DO)
