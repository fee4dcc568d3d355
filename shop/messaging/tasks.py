"""What this project's Celery tasks have in common: a name that begins with the service, in whose queue they run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

from celery import Task, current_task, shared_task
from celery.signals import task_postrun
from celery.states import SUCCESS
from django.db import DataError

from shop.messaging import doubles, monitoring, points
from shop.messaging.dead_letters import Unreadable, keep
from shop.messaging.outcomes import in_a_word
from shop.messaging.points import Point, reach

REQUEST = "shop.messaging.requests:TellingRequest"  # by name: only a worker needs it


def task(name: str, *, only_sends: bool = False) -> Callable[[Callable[..., Any]], Task[..., Any]]:
    """Make a function the Celery task ``<service>.<name>``, in the service's queue.

    ``only_sends``: it changes nothing and asks nobody outside; as a link of a chain it needs no message of its own.
    """

    def make(function: Callable[..., Any]) -> Task[..., Any]:
        takes = signature(function)

        def run(*args: Any, **kwargs: Any) -> Any:
            reach(Point.RECEIVED, name)
            try:
                takes.bind(*args, **kwargs)
            except TypeError as error:
                return _keep(name, args, kwargs, error)
            try:
                result = function(*args, **kwargs)
            except (Unreadable, DataError) as error:  # the latter: it holds what no column takes
                return _keep(name, args, kwargs, error)
            reach(Point.HANDLED, name)
            return result

        options = {"name": name, "queue": service_of(name), "Request": REQUEST}
        made: Task[..., Any] = shared_task(**options)(run)  # type: ignore[call-overload]  # the stubs lack Request
        if only_sends:
            _only_send.add(name)
        return made

    return make


def _keep(name: str, args: Sequence[Any], kwargs: Mapping[str, Any], error: Exception) -> None:
    """A message for this task that it can do nothing with."""
    request = current_task.request
    doubles.not_handled(str(request.id))
    keep(
        service_of(name),
        {
            "headers": {"task": name, "id": request.id},
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "body": json.dumps([args, kwargs, {}], default=repr),
        },
        str(error) if isinstance(error, Unreadable) else in_a_word(error),
        task=name,
    )
    monitoring.broke((), error, parked=True)


_only_send: set[str] = set()


def can_run_in(service: str, name: str) -> bool:
    """Whether a service's worker that comes to this task can run it itself: it is its own, or only sends."""
    return service_of(name) == service or name in _only_send


def service_of(name: str) -> str:
    """The service an operation, a task or a module belongs to: the first part of its name."""
    return name.partition(".")[0]


@task_postrun.connect
def note_handled(task_id: str, state: str | None = None, **kwargs: Any) -> None:
    if state == SUCCESS:
        doubles.handled(task_id)


if points.act is not None:

    @task_postrun.connect
    def sent_on(task: Task[..., Any], **kwargs: Any) -> None:
        reach(Point.SENT_ON, task.name)
