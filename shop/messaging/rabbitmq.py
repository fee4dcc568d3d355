"""RabbitMQ as a broker for which nobody waits for ever, and whose messages can always be read, if only in part.

py-amqp waits for an answer without an end, and fails at a property that it can't decode, each time the message comes.
"""

from __future__ import annotations

from typing import Any

from amqp import method_framing
from amqp.basic_message import Message
from amqp.exceptions import MessageNacked, RecoverableConnectionError
from kombu.transport import pyamqp

ANSWERS_WITHIN = 6.0  # s; three tries of a publish, connecting included, stay below heartbeat.HANGS_AFTER


class ReadableMessage(Message):
    """Properties and headers that can't be decoded are left out; then it is no task, and its body is kept."""

    def _load_properties(self, class_id: int, buf: bytes, offset: int) -> int:
        try:
            return int(super()._load_properties(class_id, buf, offset))  # type: ignore[misc]
        except Exception:
            self.properties = {}
            return offset


# py-amqp makes them there of what comes, and has no setting for it.
method_framing.Message = ReadableMessage  # type: ignore[misc]


class Connection(pyamqp.Connection):
    def blocking_read(self, timeout: float | None = None) -> Any:
        """Without a ``timeout`` somebody waits for an answer. Who has not had one must not take it for a later one."""
        try:
            return super().blocking_read(ANSWERS_WITHIN if timeout is None else timeout)
        except TimeoutError:
            if timeout is not None:
                raise
            self.collect()
            raise RecoverableConnectionError(f"RabbitMQ has not answered for {ANSWERS_WITHIN:g} s.") from None


# What is refused once, as the queue is full, is refused at once again; kombu would connect anew for that.
RECOVERABLE = tuple(
    error for error in pyamqp.Transport.recoverable_connection_errors if error is not MessageNacked
)


class Transport(pyamqp.Transport):
    Connection = Connection
    recoverable_connection_errors = RECOVERABLE


class SSLTransport(pyamqp.SSLTransport):
    Connection = Connection
    recoverable_connection_errors = RECOVERABLE
