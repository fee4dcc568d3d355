"""What becomes of a set in which one order breaks, and when it is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import django.db
import psycopg
import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from shop.messaging import reach
from shop.messaging.events import Ref
from shop.messaging.outcomes import Outcome, Unavailable, attempt, in_a_word
from shop.messaging.retries import next_try
from shop.tests.messaging.samples import ref


def test_a_fault_in_one_order_sends_the_set_through_one_at_a_time() -> None:
    refs = [ref() for _ in range(5)]
    calls: list[int] = []

    def operation(some: Sequence[Ref]) -> Outcome:
        calls.append(len(some))
        if refs[2] in some:
            raise ValueError("broken")
        return Outcome(done=list(some))

    outcome = attempt(operation, refs, lambda item: item)
    assert calls == [5, 1, 1, 1, 1, 1]
    assert outcome.done == [refs[0], refs[1], refs[3], refs[4]]
    assert list(outcome.faults) == [refs[2]]


def test_a_broker_that_is_away_is_asked_once_for_the_whole_set() -> None:
    refs = [ref() for _ in range(5)]
    calls: list[int] = []

    def operation(some: Sequence[Ref]) -> Outcome:
        calls.append(len(some))
        raise OperationalError("the broker is away")

    outcome = attempt(operation, refs, lambda item: item)
    assert calls == [5]
    assert list(outcome.faults) == refs


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.errors.AdminShutdown("terminating connection"), True),
        (psycopg.errors.CannotConnectNow("the database system is starting up"), True),
        (psycopg.errors.LockNotAvailable("lock timeout"), False),
        (psycopg.errors.QueryCanceled("statement timeout"), False),
    ],
)
@pytest.mark.parametrize("by_django", [True, False])
def test_another_apps_database_that_is_away_is_waited_for_and_no_attempt_counts(
    monkeypatch: pytest.MonkeyPatch, error: Exception, waits: bool, by_django: bool
) -> None:
    refs = [ref() for _ in range(3)]
    calls: list[int] = []

    def operation(some: Sequence[Ref]) -> Outcome:
        calls.append(len(some))
        if by_django:
            raise django.db.OperationalError(str(error)) from error
        raise error

    monkeypatch.setattr(reach, "databases", lambda: ["default", "inventory"])
    faults = attempt(operation, refs, lambda item: item).faults
    assert calls == ([3] if waits else [3, 1, 1, 1])
    assert [isinstance(faults[one], Unavailable) for one in refs] == [waits] * 3
    monkeypatch.setattr(reach, "databases", lambda: ["default"])  # then it is the app's own
    assert not isinstance(attempt(operation, refs, lambda item: item).faults[refs[0]], Unavailable)


def test_an_error_in_a_word_leaves_out_the_lines_below_that_hold_peoples_data() -> None:
    error = ValueError("duplicate key\nDETAIL: Key (email)=(ada@example.invalid) exists.")
    assert in_a_word(error) == "ValueError: duplicate key"


def test_retries_back_off_and_end_with_a_person(settings: Any) -> None:
    settings.RETRIES = {"default": {"attempts": 3, "first": 10.0, "cap": 15.0}}
    first, second, third = (next_try("x.y", attempts, now=timezone.now()) for attempts in (1, 2, 3))
    assert first is not None
    assert second is not None
    assert timedelta(seconds=7.9) < first - timezone.now() < timedelta(seconds=12)
    assert timedelta(seconds=11.9) < second - timezone.now() < timedelta(seconds=18)
    assert third is None
    away = next_try("x.y", 100, Unavailable("The provider is down."), now=timezone.now())
    assert away is not None
