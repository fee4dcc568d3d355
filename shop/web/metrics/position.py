"""How far a table's rows have been counted. Rows get their ids before they are committed, so the newest may still come in
out of sequence: only those below which nothing can come any more are counted, each once.
"""

from __future__ import annotations

import time
from collections import deque

from django.db.models import Model

from shop.messaging.rows import execute

LONGEST = 60.0  # s that a transaction is waited for; none of ours may take so long (DATABASE_WAITS)

# Every row with an id up to this one belongs to a transaction that is over, or is below xmax.
LOOK = """
    SELECT coalesce(max(id), 0), pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    FROM {table}
"""


class Position:
    """``counted``: the last id that is; None before the first look: what was then is history."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model
        self._marks: deque[tuple[int, int, float]] = deque()  # (id, xmax, when)
        self._settled = 0
        self.counted: int | None = None

    def look(self) -> int:
        """Up to which id rows may be counted now."""
        ((newest, running_from, xmax),) = execute(
            self._model, LOOK.format(table=self._model._meta.db_table), fetch=True
        )
        now = time.monotonic()
        if self.counted is None:
            self.counted = self._settled = newest
        while self._marks and (self._marks[0][1] <= running_from or now - self._marks[0][2] > LONGEST):
            self._settled = max(self._settled, self._marks.popleft()[0])
        self._marks.append((newest, xmax, now))
        if running_from >= xmax:  # nothing is under way
            self._marks.clear()
            self._settled = max(self._settled, newest)
        return self._settled
