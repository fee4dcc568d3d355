"""Requests that come at the same moment ask the database together: one statement or transaction for all of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST = 50  # questions in one set
PATIENCE = 30.0  # s until a caller whose set gets no answer is told so


class _Call(Generic[Question, Answer]):
    def __init__(self, question: Question) -> None:
        self.question = question
        self.answer: Answer
        self.fault: Exception | None = OperationalError("Who asked for this has ended without an answer.")
        self.set: list[_Call[Question, Answer]] = []  # if it is this caller's turn to ask for all of these
        self.woken = threading.Event()


class Together(Generic[Question, Answer]):
    """Makes one call in the plural of those that several threads make at the same time.

    Who comes alone asks at once, in its own thread. Who comes while ``at_once`` sets are under way waits, and then one
    of those who wait asks for all of them; so sets grow with the load, without a timer and without a thread.

    ``asked``: takes a list of questions, returns their answers in the same sequence. If it fails, each question is
    asked by itself, so that a bad one does not take its neighbours down.
    """

    def __init__(self, asked: Callable[[list[Question]], Sequence[Answer]], *, at_once: int = 1) -> None:
        self._asked = asked
        self._free = at_once
        self._lock = threading.Lock()
        self._waiting: deque[_Call[Question, Answer]] = deque()  # empty as long as a set may be under way more

    def ask(self, question: Question) -> Answer:
        """The answer to this question.

        Raises:
            Exception: whatever ``asked`` raises for this question.
            django.db.OperationalError: there is no answer after ``PATIENCE``; it may still have been acted on.
        """
        call: _Call[Question, Answer] = _Call(question)
        with self._lock:
            if self._free:
                self._free -= 1
                call.set = [call]
            else:
                self._waiting.append(call)
        if not call.set:
            self._wait(call)
        if call.set:
            self._ask_for_all(call.set)
        if call.fault:
            raise call.fault
        return call.answer

    def _wait(self, call: _Call[Question, Answer]) -> None:
        if call.woken.wait(PATIENCE):
            return
        with self._lock:
            if call.woken.is_set():
                return
            if call in self._waiting:
                self._waiting.remove(call)
        raise OperationalError(f"The database has not answered for {PATIENCE:g} s.")

    def _ask_for_all(self, calls: list[_Call[Question, Answer]]) -> None:
        try:
            self._answer(calls)
        finally:
            self._next_turn()
            for call in calls:
                call.woken.set()

    def _next_turn(self) -> None:
        with self._lock:
            calls = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
            if calls:
                calls[0].set = calls
                calls[0].woken.set()
            else:
                self._free += 1

    def _answer(self, calls: Sequence[_Call[Question, Answer]]) -> None:
        try:
            answers = self._asked([call.question for call in calls])
            for call, answer in zip(calls, answers, strict=True):
                call.answer, call.fault = answer, None
        except (OperationalError, InterfaceError) as error:  # the database is away, for all of them
            for call in calls:
                call.fault = type(error)(*error.args)  # each is raised in a thread of its own
        except Exception as error:
            if len(calls) == 1:
                calls[0].fault = error
                return
            for call in calls:
                self._answer([call])
