"""What would be said again and again, such as that a database is away, is said once a minute."""

from __future__ import annotations

import time
from collections.abc import Hashable

EVERY = 60.0  # s


class Seldom:
    """``if seldom(what): logger.warning(…)``: whether it has not been said within the last minute."""

    def __init__(self) -> None:
        self._quiet_until: dict[Hashable, float] = {}

    def __call__(self, what: Hashable = None) -> bool:
        now = time.monotonic()
        self._quiet_until = {said: until for said, until in self._quiet_until.items() if until > now}
        if what in self._quiet_until:
            return False
        self._quiet_until[what] = now + EVERY
        return True
