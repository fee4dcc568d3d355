"""How the log is written: JSON, one object a line, or plain text in a terminal; into a file that `up` may rename.

Own code, as of a record only what is named here may be told: what libraries add to it (requests, arguments) may be
people's data, and so may all but the first line of an error.
"""

from __future__ import annotations

import logging
import os
import traceback
from datetime import UTC, datetime

import msgspec

from shop.messaging.journal import Line
from shop.messaging.origins import request

FILE = "LOG_FILE"  # what standard output and standard error are, if they are a file that is rotated
OUT, ERR = 1, 2
MOST_ERRORS, MOST_FRAMES = 3, 20  # of a chain of errors, and of one of them, the innermost


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    at: datetime
    level: str
    logger: str
    message: str
    request: str | None = None
    trace: str = ""


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told: list[Line] | None = getattr(record, "lines", None)
        return self.of_events(told) if told else self.of_message(_message(record))

    def of_events(self, lines: list[Line]) -> str:
        raise NotImplementedError

    def of_message(self, message: Message) -> str:
        raise NotImplementedError


class Json(_Formatter):
    _encoder = msgspec.json.Encoder()

    def of_events(self, lines: list[Line]) -> str:
        return self._encoder.encode_lines(lines).decode().rstrip("\n")

    def of_message(self, message: Message) -> str:
        return self._encoder.encode(message).decode(errors="replace")


class Plain(_Formatter):
    def of_events(self, lines: list[Line]) -> str:
        return "\n".join(map(str, lines))

    def of_message(self, message: Message) -> str:
        whose = f" (request {message.request})" if message.request else ""
        frames = f"\n{message.trace}" if message.trace else ""
        return f"{message.at:%F %T} {message.level} {message.logger}: {message.message}{whose}{frames}"


def _message(record: logging.LogRecord) -> Message:
    error = record.exc_info[1] if record.exc_info else None
    return Message(
        datetime.fromtimestamp(round(record.created, 3), UTC),
        record.levelname,
        record.name,
        # Half a character, which somebody may have sent, no JSON can carry.
        record.getMessage().encode(errors="replace").decode(),
        request(),
        _trace(error) if error else "",
    )


def _trace(error: BaseException) -> str:
    """Where it came from, and before that what led to it. (``shop.messaging.tracebacks`` needs the models.)"""
    told, one = "", error
    for _ in range(MOST_ERRORS):
        frames = "".join(traceback.format_tb(one.__traceback__, -MOST_FRAMES))
        told = f"{frames}{type(one).__name__}: {str(one).partition(chr(10))[0][:300]}\n{told}"
        led = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        if led is None:
            break
        one = led
    return told.rstrip()


class Handler(logging.Handler):
    """Writes to standard error. Where that is a file which has been renamed, goes on in a new one of the old name, with
    all else that the process writes: so whoever rotates it need not stop anybody, and no line is lost."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = f"{self.format(record)}\n".encode(errors="replace")
            if path := os.environ.get(FILE):
                follow(path)
            write(line)
        except Exception:
            self.handleError(record)


def write(line: bytes) -> None:
    """At once, so that what several processes write into one file does not mix."""
    while line:
        line = line[os.write(ERR, line) :]


def follow(path: str) -> None:
    try:
        is_new = not os.path.samestat(os.stat(path), os.fstat(ERR))
    except FileNotFoundError:
        is_new = True
    if is_new:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        for fd in (OUT, ERR):
            os.dup2(file, fd)
        os.close(file)
