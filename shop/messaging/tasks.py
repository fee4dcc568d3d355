"""What this project's Celery tasks have in common: a name that begins with the service, in whose queue they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Task, shared_task
from celery.signals import task_postrun

from shop.messaging import points
from shop.messaging.points import Point, reach


def task(name: str, *, only_sends: bool = False) -> Callable[[Callable[..., Any]], Task[..., Any]]:
    """Make a function the Celery task ``<service>.<name>``, in the service's queue.

    ``only_sends``: it changes nothing and asks nobody outside; as a link of a chain it needs no message of its own.
    """

    def make(function: Callable[..., Any]) -> Task[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            reach(Point.RECEIVED, name)
            result = function(*args, **kwargs)
            reach(Point.HANDLED, name)
            return result

        made: Task[..., Any] = shared_task(name=name, queue=service_of(name))(run)
        if only_sends:
            _only_send.add(name)
        return made

    return make


_only_send: set[str] = set()


def can_run_in(service: str, name: str) -> bool:
    """Whether a service's worker that comes to this task can run it itself: it is its own, or only sends."""
    return service_of(name) == service or name in _only_send


def service_of(name: str) -> str:
    """The service an operation, a task or a module belongs to: the first part of its name."""
    return name.partition(".")[0]


if points.act is not None:

    @task_postrun.connect
    def sent_on(task: Task[..., Any], **kwargs: Any) -> None:
        reach(Point.SENT_ON, task.name)
