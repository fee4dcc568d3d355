"""What several threads ask at the same moment is asked together, and each gets its own answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import OperationalError

from shop.base.api import together
from shop.base.api.together import CROWD, Together

WITHIN = 20.0  # s


class Asked:
    """Answers with the double; the first set stands until it is let go. Keeps what was asked, and by which threads."""

    def __init__(self) -> None:
        self.sets: list[list[int]] = []
        self.threads: list[int] = []
        self.faults: dict[int, Exception] = {}
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, numbers: list[int]) -> list[int]:
        self.sets.append(numbers)
        self.threads.append(threading.get_ident())
        self.begun.set()
        assert self.go_on.wait(WITHIN)
        for number in numbers:
            if number in self.faults:
                raise self.faults[number]
        return [2 * number for number in numbers]


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def while_one_is_under_way(
    pool: ThreadPoolExecutor, asked: Asked, together: Together[int, int], numbers: range
) -> list[Future[int]]:
    """0 is asked, and while it is, these, one after the other."""
    futures = [pool.submit(together.ask, 0)]
    assert asked.begun.wait(WITHIN)
    for number in numbers:
        futures.append(pool.submit(together.ask, number))
        _until_waiting(together, len(futures) - 1)
    return futures


def _until_waiting(together: Together[int, int], count: int) -> None:
    deadline = time.monotonic() + WITHIN
    while len(together._waiting) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_who_comes_alone_asks_at_once_and_in_its_own_thread(asked: Asked) -> None:
    asked.go_on.set()
    assert [Together(asked).ask(number) for number in (1, 2)] == [2, 4]
    assert asked.sets == [[1], [2]]
    assert set(asked.threads) == {threading.get_ident()}


def test_those_who_come_meanwhile_are_asked_for_together(asked: Asked, pool: ThreadPoolExecutor) -> None:
    futures = while_one_is_under_way(pool, asked, Together(asked), range(1, 6))
    asked.go_on.set()
    assert [future.result(WITHIN) for future in futures] == [0, 2, 4, 6, 8, 10]
    assert asked.sets == [[0], [1, 2, 3, 4, 5]]


def test_a_set_has_a_largest_size(
    asked: Asked, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "MOST", 2)
    futures = while_one_is_under_way(pool, asked, Together(asked), range(1, 6))
    asked.go_on.set()
    assert [future.result(WITHIN) for future in futures] == [0, 2, 4, 6, 8, 10]
    assert asked.sets == [[0], [1, 2], [3, 4], [5]]


def test_a_bad_one_does_not_take_its_neighbours_down(asked: Asked, pool: ThreadPoolExecutor) -> None:
    asked.faults[2] = ValueError("two")
    futures = while_one_is_under_way(pool, asked, Together(asked), range(1, 4))
    asked.go_on.set()
    assert [futures[n].result(WITHIN) for n in (0, 1, 3)] == [0, 2, 6]
    with pytest.raises(ValueError, match="two"):
        futures[2].result(WITHIN)
    assert asked.sets == [[0], [1, 2, 3], [1], [2], [3]]


def test_what_is_nobodys_own_fault_is_told_to_all_at_once(asked: Asked, pool: ThreadPoolExecutor) -> None:
    asked.faults[2] = OperationalError("away")
    futures = while_one_is_under_way(pool, asked, Together(asked), range(1, 4))
    asked.go_on.set()
    faults = [future.exception(WITHIN) for future in futures[1:]]
    assert [(type(fault), str(fault)) for fault in faults] == [(OperationalError, "away")] * 3
    assert len({id(fault) for fault in faults}) == 3
    assert asked.sets == [[0], [1, 2, 3]]


def test_nobody_waits_for_ever(
    asked: Asked, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "PATIENCE", 0.2)
    both = Together(asked)
    first, late = while_one_is_under_way(pool, asked, both, range(1, 2))
    with pytest.raises(OperationalError, match=r"has not answered for 0\.2 s"):
        late.result(WITHIN)
    asked.go_on.set()
    assert first.result(WITHIN) == 0
    assert both.ask(3) == 6
    assert asked.sets == [[0], [3]]


def test_in_a_crowd_sets_begin_at_intervals_and_alone_nobody_waits(
    asked: Asked, pool: ThreadPoolExecutor
) -> None:
    begun: list[float] = []

    def timed(numbers: list[int]) -> list[int]:
        begun.append(time.monotonic())
        return asked(numbers)

    paced = Together(timed, every=0.5)
    futures = while_one_is_under_way(pool, asked, paced, range(1, CROWD + 1))
    asked.go_on.set()
    assert [future.result(WITHIN) for future in futures] == [0, 2, 4, 6, 8]
    assert paced.ask(5) == 10
    assert paced.ask(6) == 12
    assert [len(numbers) for numbers in asked.sets] == [1, CROWD, 1, 1]
    assert begun[2] - begun[1] >= 0.5
    assert begun[3] - begun[2] < 0.5
