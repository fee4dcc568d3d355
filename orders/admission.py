"""Whether new orders are taken just now. Each that is accepted is a promise, and some shop can't keep too many.

What counts is how long orders wait **for their turn**: those that nothing is wrong with, and that have not come further.
Not counted is what waits for something else: for a person (parked), for the next attempt, for an answer from outside, or
for a provider that is away, which may take a day. Such an order has failed once, so its saga says so, or it is the turn
of the service whose provider is away. And a few that are stuck are no backlog: the control room tells of those.

A thread of its own looks, once a second while orders come, so that placing waits for nobody. It shuts the door when the
backlog is older than ``ADMISSION_MAX_AGE``, and opens it when it is younger than half of that, so that it does not flap.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Q
from django.db.models.functions import Now

from orders.models import Saga
from orders.saga import waiting_for
from shop.messaging.outages import waited_for

logger = logging.getLogger(__name__)

EVERY = 1.0  # s between two looks
SHARE = 0.1  # of a database's connection that is used at the most
FEW = 20  # orders that are late are a backlog
MOST = 5_000  # are looked at: those that are due first, which are the late ones where there are many
RETRY_AFTER = 10  # s, for who was turned away


class Line(NamedTuple):
    """Orders that wait for their turn: how many for too long, how many for half of that; how long (s) the longest."""

    late: int
    half: int
    longest: float


def line(max_age: float) -> Line:
    """As it is now, by one statement, on the index of running sagas."""
    calm = Saga.objects.filter(state=Saga.State.RUNNING, attempt=0, last_error="")
    if away := waited_for():
        calm = calm.exclude(waiting_for(away))
    waits = calm.annotate(waits=ExpressionWrapper(Now() - F("moved_at"), DurationField())).order_by(
        "deadline"
    )[:MOST]
    found = waits.aggregate(
        late=Count("pk", filter=Q(waits__gt=timedelta(seconds=max_age))),
        half=Count("pk", filter=Q(waits__gt=timedelta(seconds=max_age / 2))),
        longest=Max("waits"),
    )
    return Line(found["late"], found["half"], found["longest"].total_seconds() if found["longest"] else 0.0)


class Door:
    """Of one process."""

    def __init__(self) -> None:
        self._line: Line | None = None  # while it is shut
        self._wanted = threading.Event()
        self._begun = threading.Lock()

    def shut(self) -> Line | None:
        """Why no order is taken just now; None: the door is open. It never waits."""
        if not settings.ADMISSION_MAX_AGE:
            return None
        self._wanted.set()
        if self._begun.acquire(blocking=False):  # once, and it is kept
            threading.Thread(target=self._watch, name="admission", daemon=True).start()
        return self._line

    def judge(self, found: Line, max_age: float) -> None:
        if self._line is None and found.late >= FEW:
            logger.warning(
                "The door is shut: %d orders have waited for their turn for more than %g s.",
                found.late,
                max_age,
            )
        elif self._line and found.half < FEW:
            logger.warning("The door is open again.")
        self._line = found if (found.half if self._line else found.late) >= FEW else None

    def _watch(self) -> None:
        """Whoever is turned away may not come again: while the door is shut it looks by itself."""
        while True:
            if not self._line:
                self._wanted.wait()
            self._wanted.clear()
            began = time.monotonic()
            try:
                self.judge(line(settings.ADMISSION_MAX_AGE), settings.ADMISSION_MAX_AGE)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("How orders get on can't be asked: %s", str(error).partition("\n")[0])
                self._line = None  # placing asks the database, too, and says what it finds
            except Exception:
                logger.exception("How orders get on can't be asked.")
                self._line = None
            finally:
                for connection in connections.all(initialized_only=True):
                    connection.close_if_unusable_or_obsolete()
            time.sleep(max(EVERY, (time.monotonic() - began) / SHARE))


door = Door()
