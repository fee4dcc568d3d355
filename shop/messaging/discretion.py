"""Logs name nobody. Of an error they have its kind, its first line and where it came from: never the values of a row.

PostgreSQL's errors go on below the first line, with what stood in the row; and tracebacks of Python end in all of it. So
whatever a process logs, by whichever library, passes through here.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

import psycopg
from django.db import Error as DatabaseError

MOST_ERRORS = 10  # of a chain that led to one another
LONGEST = 300
# In PostgreSQL's first lines: what it calls things, and values that could not be read.
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
NAMED = re.compile(r'"[a-z_][a-z0-9_.]*"')
OF_A_VALUE = re.compile(r'(invalid (?:input|byte)|malformed|^value ")')

_secrets: list[re.Pattern[str]] = []


def never_logged(pattern: str) -> None:
    """What matches this in a text that is logged is left out: such as a link that opens something to who has it."""
    _secrets.append(re.compile(pattern))


def first_line(error: BaseException) -> str:
    """What an error says, without the values of a row; empty: nothing."""
    line = (str(error).splitlines() or [""])[0][:LONGEST]
    if isinstance(error, DatabaseError | psycopg.Error):
        values = bool(OF_A_VALUE.search(line))
        line = QUOTED.sub(lambda found: _shown(found[0], values=values), line)
    return line


def _shown(quoted: str, *, values: bool) -> str:
    return quoted if not values and NAMED.fullmatch(quoted) else '"…"'


def without_values(error: BaseException) -> BaseException:
    """A stand-in for an error, and for those it came from, that any formatter may write down whole."""
    first = made = _stand_in(error)
    for _ in range(MOST_ERRORS):
        cause, silent = error.__cause__, error.__suppress_context__
        before = cause or (None if silent else error.__context__)
        if before is None:
            break
        inner = _stand_in(before)
        if cause:
            made.__cause__ = inner
        else:
            made.__context__ = inner
        error, made = before, inner
    return first


def _stand_in(error: BaseException) -> BaseException:
    kind = type(error)
    alike = type(
        kind.__name__, (Exception,), {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    )
    made: BaseException = alike(first_line(error))
    return made.with_traceback(error.__traceback__)


def _kept(text: Any) -> Any:
    """An argument of a log line as it is written down."""
    if isinstance(text, BaseException):
        return first_line(text)
    if isinstance(text, str):
        for pattern in _secrets:
            text = pattern.sub("…", text)
    return text


class _Discreet:
    """A factory of log records, which whatever handler and formatter there is gets its records from."""

    def __init__(self, made: Callable[..., logging.LogRecord]) -> None:
        self._made = made

    def __call__(self, *args: Any, **more: Any) -> logging.LogRecord:
        record = self._made(*args, **more)
        record.msg = _kept(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_kept(arg) for arg in record.args)
        if record.exc_info and (error := record.exc_info[1]):
            told = without_values(error)
            record.exc_info = (type(told), told, told.__traceback__)
        return record


def install() -> None:
    """Make this process discreet, once: in its logs, and in what it says when it ends by an error that nobody caught."""
    made = logging.getLogRecordFactory()
    if isinstance(made, _Discreet):
        return
    logging.setLogRecordFactory(_Discreet(made))
    sys.excepthook = _ended_by
    threading.excepthook = lambda about: _ended_by(about.exc_type, about.exc_value, about.exc_traceback)


def _ended_by(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or not issubclass(kind, Exception):  # Ctrl-C
        sys.__excepthook__(kind, error or kind(), trace)
        return
    traceback.print_exception(without_values(error.with_traceback(trace)))
