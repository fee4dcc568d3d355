"""Whether a provider may be called: not while it is away, but for one call now and then that finds out."""

from __future__ import annotations

import time
from contextlib import suppress

from django.db import DatabaseError

from shop.messaging import outages
from shop.messaging.outages import Outage
from shop.messaging.outcomes import Fault, Unavailable

LOOKS_EVERY = 5.0  # s
IN_A_ROW = 3  # calls that came to nothing, and none in between that was answered: the provider may be away


class Breaker:
    """One provider's, in one process. Asks the database before a call only when this process has found the provider away.

    ``service``: whose database keeps the outage, for all its workers to see.
    """

    def __init__(self, service: str, provider: str) -> None:
        self._service, self._provider = service, provider
        self._in_vain: list[str] = []  # what the last calls were about
        self._said_so = False  # whether one of them found nobody there
        self._outage: Outage | None = None
        self._looked = time.monotonic()

    @property
    def open(self) -> bool:
        """Whether the provider is known to be away."""
        return self._outage is not None

    def allowed(self, wanted: int) -> int:
        """How many of the calls that are wanted may be made now."""
        if self._outage is None:
            return wanted
        self._outage = outages.outage(self._service, self._provider)
        if self._outage is None:  # somebody else had an answer
            self._forget()
            return wanted
        return min(wanted, 1) if outages.may_probe(self._service, self._provider) else 0

    def answered(self) -> None:
        """The provider is there. Whoever noted that it is away may be dead by now, so now and then this is looked at."""
        now = time.monotonic()
        if self._outage is not None or now - self._looked > LOOKS_EVERY:
            with suppress(DatabaseError):  # the answer is worth more
                outages.end(self._service, self._provider)
            self._looked = now
        self._forget()

    def _forget(self) -> None:
        self._outage, self._said_so = None, False
        self._in_vain.clear()

    def in_vain(self, about: str, trouble: str, *, nobody_there: bool) -> Fault:
        """A call about something came to nothing. Returns the fault: that of the call, or of the provider if it is away.

        ``nobody_there``: nobody can be reached, or says himself that he is not available. What else comes to nothing may
        lie in what was asked: it must have happened with more than that.
        """
        self._in_vain = [*self._in_vain, about][-IN_A_ROW:]
        self._said_so |= nobody_there
        away = len(self._in_vain) == IN_A_ROW and (self._said_so or len(set(self._in_vain)) > 1)
        if away and self._outage is None:
            self._outage = outages.begin(self._service, self._provider, trouble)
        return self.fault() if self.open else Fault(f"{self._provider} {trouble}.")

    def fault(self) -> Fault:
        """What becomes of who wants to call a provider that is away."""
        if self._outage is None:
            return Fault(f"{self._provider} has not been asked.")
        kind = Unavailable if self._outage.is_waited_for else Fault
        return kind(f"{self._outage.in_words}.")
