"""A task in a worker, whose end is told as it was: see ``monitoring``."""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request

from shop.messaging import monitoring


class TellingRequest(Request):
    def send_event(self, type: str, **fields: Any) -> None:
        if type == "task-succeeded":
            given_up, broken = monitoring.told_of(self.id)
            for attempt, told in given_up:
                self._eventer.send("task-failed", uuid=attempt, **told)  # type: ignore[attr-defined]  # the stubs lack it
            if broken:
                type, fields = broken
        super().send_event(type, **fields)
