"""What is only to be noted is gathered for a moment from all outboxes and sent in sets of all types: a lone order costs
two or three such messages, and of a busy shop's orders many events are noted at once.

It reads each outbox behind the last id it has seen, and comes back for ids that were left out, as they may be committed
late. What it misses all the same, ``confirming`` finds.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kombu import Producer

from shop.messaging.outbox import confirmed_until
from shop.messaging.reach import by_database, only_holding_up
from shop.messaging.rows import Found, as_array, execute
from shop.messaging.sending import Letter, send_to_be_noted, waiting
from shop.messaging.subscriptions import noting_services, services_noting
from shop.messaging.tables import outbox_of

AT_ONCE = 4_000  # rows of one outbox
COMES_LATE = 2.0  # s for which an id that was left out is looked for again
MOST_LEFT_OUT = 1_000  # ids of one outbox; a larger gap is another database, or a restored one
READ = "SELECT '{service}', id, type, order_id, number, style, payload::text FROM {table} "
QUEUED = 2  # messages that wait already: as long as there are so many, events gather where they are


class Gathering:
    """One process gathers: it remembers how far it has read each outbox."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._last: dict[str, int] = {}
        self._left_out: dict[str, dict[int, float]] = defaultdict(dict)
        self.found = 0  # events, the last time

    def gather(self, services: Iterable[str]) -> set[str]:
        """Send what these services have published since. Returns those that are to be asked again soon.

        Raises what the broker raises; then it is read again.
        """
        asked = set(services)
        if not asked or any(waiting(noting, self._producer) >= QUEUED for noting in noting_services()):
            return asked
        letters: dict[str, list[Letter]] = defaultdict(list)
        seen: dict[str, list[int]] = {service: [] for service in asked}
        for service, id, *fields in self._read(asked):
            seen[service].append(id)
            one = Letter(*fields)
            for noting in services_noting(one.type, one.style):
                letters[noting].append(one)
        for noting, some in letters.items():
            send_to_be_noted(noting, some, self._producer)
        self.found = sum(map(len, seen.values()))
        for service, ids in seen.items():
            self._remember(service, sorted(ids))
        return {service for service, ids in seen.items() if len(ids) >= AT_ONCE or self._left_out[service]}

    def read_until(self, service: str) -> int:
        """The last id of this outbox that has been read and sent; what is behind it nobody can have noted."""
        return self._last.get(service, 0)

    def _read(self, asked: set[str]) -> Iterator[tuple[Any, ...]]:
        """What is new in these outboxes: the service and the row. Those that share a database are read at once."""
        for service in asked - self._last.keys():
            with only_holding_up(service):
                self._last[service] = confirmed_until(service)
        for sharing in by_database(sorted(asked)):
            parts, params = [], []
            for service in sharing:
                for condition, value in self._unread(service):
                    parts.append(
                        READ.format(service=service, table=outbox_of(service)._meta.db_table) + condition
                    )
                    params.append(value)
            found: Found = []
            with only_holding_up(sharing[0]):
                sql = " UNION ALL ".join(f"({part})" for part in parts)
                found = execute(outbox_of(sharing[0]), sql, *params, fetch=True)
            yield from found

    def _unread(self, service: str) -> Iterator[tuple[str, object]]:
        if left_out := self._left_out[service]:
            yield "WHERE id = ANY(%s::bigint[])", as_array(left_out)
        yield f"WHERE id > %s ORDER BY id LIMIT {AT_ONCE}", self._last[service]

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
