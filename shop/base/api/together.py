"""Requests that come at the same moment ask the database together: one statement or transaction for all of them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST = 50  # questions in one set
CROWD = 4  # so many in a set are a crowd
PATIENCE = 30.0  # s until a caller whose set gets no answer is told so


class _Call(Generic[Question, Answer]):
    def __init__(self, question: Question) -> None:
        self.question = question
        self.answer: Answer
        self.fault: Exception | None = OperationalError("Who asked for this has ended without an answer.")
        self.leads = False  # it is this caller's turn to ask, for all who wait
        self.woken = threading.Event()


class Together(Generic[Question, Answer]):
    """Makes one call in the plural of those that several threads make at the same time.

    Who comes alone asks at once, in its own thread. Who comes while a set is under way waits, and then the first of
    those who wait asks for all of them: sets grow with the load, and no thread is needed for it.

    ``asked``: takes a list of questions, returns their answers in the same sequence. If it fails, each question is
    asked by itself, so that a bad one does not take its neighbours down. ``every``: s between the beginnings of two
    sets while there is a crowd.
    """

    def __init__(self, asked: Callable[[list[Question]], Sequence[Answer]], *, every: float = 0.0) -> None:
        self._asked, self._every = asked, every
        self._lock = threading.Lock()
        self._led = False  # somebody asks, or is about to
        self._next = 0.0  # when the next set may begin; who leads looks at it
        self._waiting: deque[_Call[Question, Answer]] = deque()  # who leads is the first of them

    def ask(self, question: Question) -> Answer:
        """The answer to this question.

        Raises:
            Exception: whatever ``asked`` raises for this question.
            django.db.OperationalError: there is no answer after ``PATIENCE``; it may still have been acted on.
        """
        call: _Call[Question, Answer] = _Call(question)
        with self._lock:
            self._waiting.append(call)
            if not self._led:
                self._led = call.leads = True
        if not call.leads:
            self._wait(call)
        if call.leads:
            self._lead()
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

    def _lead(self) -> None:
        """Ask for all who wait, this caller among them, and hand on."""
        if (early := self._next - time.monotonic()) > 0:
            time.sleep(early)
        now = time.monotonic()
        with self._lock:
            calls = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        self._next = now + self._every if len(calls) >= CROWD else 0.0
        try:
            self._answer(calls)
        finally:
            with self._lock:
                self._led = bool(self._waiting)
                if self._led:
                    self._waiting[0].leads = True
                    self._waiting[0].woken.set()
            for call in calls:
                call.woken.set()

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
