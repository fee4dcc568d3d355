"""What Celery's events say of a task in which something broke. That a worker says so: tests/test_crashes.py."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from celery import Task, current_app

from shop.messaging import monitoring
from shop.messaging.outcomes import Fault

FAILING = "payments.fails_here"
PERSON = "Ada Byron"


@pytest.fixture
def task() -> Iterator[Task]:
    """It breaks for the orders it is given, and notes that."""

    @current_app.task(name=FAILING)
    def fail(numbers: list[str], parked: list[str]) -> None:
        for number in numbers:
            try:
                raise Fault(f"No answer.\n{PERSON}") from ValueError(f"busy\n{PERSON}")
            except Fault as error:
                monitoring.broke([number], error, parked=number in parked)

    yield fail
    current_app.tasks.unregister(FAILING)


def told(task: Task, *numbers: str, parked: tuple[str, ...] = ()) -> tuple[str, dict[str, str]] | None:
    id = str(uuid4())
    task.apply(args=(list(numbers), list(parked)), task_id=id, throw=True)
    _, broken = monitoring.told_of(id)
    assert monitoring.told_of(id) == ([], None)
    return broken


def test_an_attempt_that_is_made_again_was_retried_and_says_where_it_broke(task: Task) -> None:
    found = told(task, "S-1", "S-2")
    assert found
    assert found[0] == "task-retried"
    assert found[1]["exception"] == "No answer. (S-1, S-2: to be tried again)"
    assert "test_monitoring.py" in found[1]["traceback"]
    assert found[1]["traceback"].endswith("No answer.")


def test_a_set_has_failed_if_one_of_its_orders_is_parked(task: Task) -> None:
    found = told(task, *(f"S-{number}" for number in range(9)), parked=("S-8",))
    assert found
    assert found[0] == "task-failed"
    assert found[1]["exception"] == "No answer. (S-0, S-1, S-2, S-3, S-4 and 4 more: parked for a person)"


def test_what_went_well_is_told_as_ever_and_no_values_are_told(task: Task) -> None:
    assert told(task) is None
    found = told(task, "S-1")
    assert found
    assert "busy" in str(found)
    assert PERSON not in str(found)


def test_outside_a_task_nobody_is_told() -> None:
    monitoring.broke(["S-1"], Fault("No answer."), parked=True)
    monitoring.gave_up(uuid4(), "No answer.")
    assert not monitoring._broken
    assert not monitoring._given_up
