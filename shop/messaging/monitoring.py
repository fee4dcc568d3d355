"""What Flower, and whoever else reads Celery's events, is told of a task in which something broke.

Our tasks catch what breaks and note it, so to Celery they succeed: the message is acknowledged, the chain goes on, the
chord is joined. Only what is told of them differs: an attempt that is made again was ``retried``; one that waits for a
person from now on has ``failed``, and so has a set in which one order does. It works where a worker handles its messages
itself (the solo pool, as ours do); another pool's worker would say ``succeeded``, as Celery does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from celery import current_task

from shop.messaging.outcomes import in_a_word
from shop.messaging.tracebacks import trace

KNOWN = 200  # tasks whose end nobody has asked for, as where no events are sent
SHOWN = 5  # orders that are named


@dataclass
class _Broken:
    """What broke in one task. The traceback has no values: they may be people's data."""

    numbers: list[str]
    error: str
    traceback: str
    parked: bool

    def told(self) -> dict[str, str]:
        some = ", ".join(self.numbers[:SHOWN])
        more = f" and {len(self.numbers) - SHOWN} more" if len(self.numbers) > SHOWN else ""
        then = "parked for a person" if self.parked else "to be tried again"
        whom = f"{some}{more}: " if some else ""
        return {"exception": f"{self.error} ({whom}{then})", "traceback": self.traceback}


_broken: dict[str, _Broken] = {}
_given_up: dict[str, list[tuple[str, dict[str, str]]]] = {}


def broke(numbers: Iterable[str], error: Exception, *, parked: bool) -> None:
    """In the task that runs here something broke for these orders. Without a task nobody is told."""
    if not (task := _task()):
        return
    known = _broken.get(task)
    if known is None or (parked and not known.parked):  # of several the first is told, or what is worse
        numbers = [*(known.numbers if known else ()), *numbers]
        known = _broken[task] = _Broken([], in_a_word(error), trace(error), parked)
    known.numbers += (number for number in numbers if number not in known.numbers)
    _forget(_broken)


def gave_up(attempt: UUID | None, error: str) -> None:
    """The task that runs here has found that an attempt of before, made in that task, was the last one."""
    if attempt and (task := _task()):
        _given_up.setdefault(task, []).append((str(attempt), {"exception": f"{error} (parked for a person)"}))
        _forget(_given_up)


def told_of(task: str) -> tuple[list[tuple[str, dict[str, str]]], tuple[str, dict[str, str]] | None]:
    """What is to be told of a task that is over, once: attempts of before that were the last (their tasks, and what to
    say of each), and, if something broke in itself, the event and what it says."""
    broken = _broken.pop(task, None)
    event = "task-failed" if broken and broken.parked else "task-retried"
    return _given_up.pop(task, []), (event, broken.told()) if broken else None


def _task() -> str | None:
    request = current_task.request if current_task else None
    return str(request.id) if request and request.id else None


def _forget(known: dict[str, Any]) -> None:
    if len(known) > KNOWN:
        del known[next(iter(known))]
