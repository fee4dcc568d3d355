"""How often something may be done: `600/minute`, `10/15 minutes`."""

from __future__ import annotations

import re
from typing import NamedTuple

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
WRITTEN = re.compile(r"(\d{1,9})/(\d{0,4}) ?(second|minute|hour|day)s?")


class Rate(NamedTuple):
    """``most`` at once, after a rest; then one every ``period / most`` s: a bucket that fills up again all the time."""

    most: int
    period: float

    @property
    def every(self) -> float:
        return self.period / self.most


def rate(text: str) -> Rate | None:
    """As a setting has it. ``off``: there is no limit.

    Raises:
        ValueError: it is something else.
    """
    if text == "off":
        return None
    found = WRITTEN.fullmatch(text)
    if not found or not int(found[1]) or not int(found[2] or 1):
        raise ValueError(text)
    return Rate(int(found[1]), float(int(found[2] or 1) * SECONDS[found[3]]))
