"""What the workers tell of their tasks, as Flower reads it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app

from tests.live import Live


@contextmanager
def listening(live: Live) -> Iterator[Any]:
    """Within this block Celery's events are read. Yields the state that Celery makes of them: its tasks and workers."""
    state, over, ready = current_app.events.State(), threading.Event(), threading.Event()

    def read() -> None:
        with live.broker.producer() as producer:
            receiver = current_app.events.Receiver(producer.connection, handlers={"*": state.event})
            with receiver.consumer_context() as (connection, *_):
                ready.set()
                while not over.is_set():
                    try:
                        connection.drain_events(timeout=0.2)
                    except TimeoutError:
                        continue

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield state
    finally:
        over.set()
        thread.join(10)


def states_of(state: Any, task: str, number: str) -> list[str]:
    """The states of the tasks of this name about this order, in sequence."""
    found = [one for _, one in state.tasks_by_time() if one.name == task and number in (one.args or "")]
    return [one.state for one in reversed(found)]
