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

        made: Task[..., Any] = shared_task(name=name, queue=service_of(name), only_sends=only_sends)(run)
        return made

    return make


def service_of(name: str) -> str:
    """The service an operation, a task or a module belongs to: the first part of its name."""
    return name.partition(".")[0]


if points.act is not None:

    @task_postrun.connect
    def sent_on(task: Task[..., Any], **kwargs: Any) -> None:
        reach(Point.SENT_ON, task.name)
