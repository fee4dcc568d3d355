"""Asking another service for what does not belong in a message: long lists, personal data.

The owner publishes the answer's type in its ``lookups.py`` and answers in its ``answers.py``; others ask by type.
Only what never changes once published (an order's lines) is safe to ask for; or what is corrected only while nobody uses
it (its address: see ``holds``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
Answer = Callable[[Collection[Any]], Mapping[Any, T]]

_answers: dict[type[Any], Answer[Any]] = {}


def answers(kind: type[T]) -> Callable[[Answer[T]], Answer[T]]:
    """Register the one function that answers for a type: it takes keys and returns a mapping of those it knows."""

    def register(function: Answer[T]) -> Answer[T]:
        if _answers.setdefault(kind, function) is not function:
            raise TypeError(
                f"{kind.__name__} is answered twice: in {_answers[kind].__module__} and {function.__module__}."
            )
        return function

    return register


def ask(kind: type[T], keys: Collection[Hashable]) -> Mapping[Any, T]:
    """What the owner of ``kind`` knows for each key; a key it does not know is missing.

    Raises:
        LookupError: no app answers for this type.
    """
    if kind not in _answers:
        raise LookupError(f"No app answers for {kind.__name__}.")
    return _answers[kind](keys)
