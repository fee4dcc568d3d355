"""What happened, in the log: a line for each event, as soon as it is committed.

All lines of a set are one record of Python's logging and one write: a record each would take twenty times as long.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from shop.messaging.events import Event, StepFailed

logger = logging.getLogger("shop.events")


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event as the log tells it: ids, and nothing about people. ``request``: the one that it goes back to."""

    at: datetime
    level: str
    logger: str
    event: str
    order: str
    style: str
    service: str
    id: UUID
    cause: UUID | None = None
    request: str | None = None
    operation: str = ""  # what broke, if something did

    def __str__(self) -> str:
        what = f"{self.event} of {self.order}{f' ({self.operation})' if self.operation else ''}"
        whose = f", request {self.request}" if self.request else ""
        return f"{self.at:%F %T} {self.level} {self.service}: {what}, {self.style}{whose}"


def tell(service: str, events: Sequence[Event]) -> None:
    """Write a line for each, at INFO. LOG_EVENTS=0 leaves them out, and so does a higher LOG_LEVEL."""
    if events and logger.isEnabledFor(logging.INFO):
        lines = [_line(service, event) for event in events]
        logger.info("%d events of %s", len(events), service, extra={"lines": lines})


def _line(service: str, event: Event) -> Line:
    origin, operation = event.origin, event.operation if isinstance(event, StepFailed) else ""
    return Line(
        event.at,
        "WARNING" if operation else "INFO",
        logger.name,
        type(event).__name__,
        event.ref.number,
        event.ref.style,
        service,
        event.id,
        origin.cause if origin else None,
        origin.request if origin else None,
        operation,
    )
