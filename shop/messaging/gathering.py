"""What is only to be noted is gathered for a moment from all outboxes and sent in sets of all types: a lone order costs
two or three such messages, and of a busy shop's orders many events are noted at once.

It reads each outbox behind the last id it has seen, and comes back for ids that were left out, as they may be committed
late. What it misses all the same, ``confirming`` finds.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from kombu import Producer

from shop.messaging.outbox import confirmed_until
from shop.messaging.rows import as_array, execute
from shop.messaging.sending import Letter, send_to_be_noted, waiting
from shop.messaging.subscriptions import noting_services, services_noting
from shop.messaging.tables import outbox_of

AT_ONCE = 4_000  # rows of one outbox
COMES_LATE = 2.0  # s for which an id that was left out is looked for again
MOST_LEFT_OUT = 1_000  # ids of one outbox; a larger gap is another database, or a restored one
FEW = 100  # events
QUEUED = 2  # messages that wait already: as long as there are so many, events gather where they are


class Gathering:
    """One process gathers: it remembers how far it has read each outbox."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._last: dict[str, int] = {}
        self._left_out: dict[str, dict[int, float]] = defaultdict(dict)
        self.quiet = True  # whether there was little to gather the last time

    def gather(self, services: Iterable[str]) -> set[str]:
        """Send what these services have published since. Returns those that are to be asked again soon.

        Raises what the broker raises; then it is read again.
        """
        asked = set(services)
        if not asked or any(waiting(noting, self._producer) >= QUEUED for noting in noting_services()):
            return asked
        letters: dict[str, list[Letter]] = defaultdict(list)
        seen: dict[str, list[int]] = {}
        for service in sorted(asked):
            rows = self._read(service)
            seen[service] = [id for id, *_ in rows]
            for _, *fields in rows:
                one = Letter(*fields)
                for noting in services_noting(one.type, one.style):
                    letters[noting].append(one)
        for noting, some in letters.items():
            send_to_be_noted(noting, some, self._producer)
        self.quiet = sum(map(len, seen.values())) < FEW
        for service, ids in seen.items():
            self._remember(service, ids)
        return {service for service, ids in seen.items() if len(ids) == AT_ONCE or self._left_out[service]}

    def read_until(self, service: str) -> int:
        """The last id of this outbox that has been read and sent; what is behind it nobody can have noted."""
        return self._last.get(service, 0)

    def _read(self, service: str) -> list[tuple[Any, ...]]:
        outbox = outbox_of(service)
        if service not in self._last:
            self._last[service] = confirmed_until(service)
        left_out = self._left_out[service]
        condition = "id > %s OR id = ANY(%s::bigint[])" if left_out else "id > %s"
        return execute(
            outbox,
            f"SELECT id, type, order_id, number, style, payload::text FROM {outbox._meta.db_table} "
            f"WHERE {condition} ORDER BY id LIMIT {AT_ONCE}",
            self._last[service],
            *([as_array(left_out)] if left_out else []),
            fetch=True,
        )

    def _remember(self, service: str, ids: Sequence[int]) -> None:
        now, left_out, last = time.monotonic(), self._left_out[service], self._last[service]
        for id in [id for id, until in left_out.items() if until < now]:
            del left_out[id]
        for id in ids:
            left_out.pop(id, None)
        if not ids or ids[-1] <= last:
            return
        if ids[-1] - last - len(ids) <= MOST_LEFT_OUT:
            left_out |= dict.fromkeys(set(range(last + 1, ids[-1])).difference(ids), now + COMES_LATE)
        self._last[service] = ids[-1]
