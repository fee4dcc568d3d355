"""A Celery app for tests: the shop's own, whose worker kills itself with SIGKILL at a moment the test has chosen.

The file named by CRASH_FILE holds the moment; it is taken away by the one worker that dies of it. Moments:
``received TASK``: the message is there, nothing is done; ``publishing EVENT``: inside the open transaction, after any
call to the outside; ``done TASK``: committed, but neither the next link sent nor the message acknowledged.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery.signals import celeryd_after_setup

from shop.celery import app

__all__ = ["app"]

ARMED = Path(os.environ["CRASH_FILE"])


def die_if(moment: str) -> None:
    try:
        if ARMED.read_text() == moment:
            ARMED.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
    except FileNotFoundError:
        return


def watch_publishing() -> None:
    from shop.messaging.recording import Record  # models can be imported only once Django is set up

    publish = Record.publish

    def watched(self: Record, event: Any) -> None:
        die_if(f"publishing {type(event).__name__}")
        publish(self, event)

    Record.publish = watched  # type: ignore[method-assign]


def watched_run(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    def watched(*args: Any, **kwargs: Any) -> Any:
        die_if(f"received {name}")
        result = run(*args, **kwargs)
        die_if(f"done {name}")
        return result

    return watched


@celeryd_after_setup.connect
def watch_tasks(**kwargs: Any) -> None:
    watch_publishing()
    for name, task in app.tasks.items():
        if not name.startswith("celery."):
            task.run = watched_run(name, task.run)  # type: ignore[method-assign]
