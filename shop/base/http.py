"""Calls to outside services: JSON over kept-alive connections, bounded in time, no hidden retries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError, ProtocolError, TimeoutError

from shop.messaging.outcomes import Fault
from shop.messaging.points import Point, reach

AT_ONCE = 8
TIMEOUT = urllib3.Timeout(connect=2, read=5)
WAIT_FOR_CONNECTION = 10.0  # s, when other threads hold all connections

Item = TypeVar("Item")
Result = TypeVar("Result")
Body = TypeVar("Body")


class _Error(msgspec.Struct, frozen=True):
    type: str = ""
    message: str = ""


class _ErrorBody(msgspec.Struct, frozen=True):
    error: _Error = _Error()


class Reply(msgspec.Struct, frozen=True):
    """An answer below 500. Who gave it is named in the sentence of a fault."""

    who: str
    status: int
    data: bytes

    def read(self, kind: type[Body]) -> Body:
        try:
            return msgspec.json.decode(self.data, type=kind)
        except (msgspec.DecodeError, UnicodeError):
            raise Fault(f"{self.who} gave an answer that can't be read ({self.status}).") from None

    def fault(self) -> Fault:
        """What an answer means that is neither a yes nor a no."""
        try:
            error = msgspec.json.decode(self.data, type=_ErrorBody).error
        except (msgspec.DecodeError, UnicodeError):
            error = _Error()
        if error.type == "idempotency_error":
            return Fault(f"{self.who} had this key before with other parameters; nothing was done.")
        if error.type == "in_progress":
            return Fault(f"{self.who} is still busy with this key.")
        reason = error.message[:300] or "no reason given"
        return Fault(f"{self.who} did not take the request ({self.status}): {reason}.")


class Client:
    """``who`` begins the sentence of every fault: "The carrier"."""

    def __init__(self, base_url: str, who: str) -> None:
        self._base = base_url.rstrip("/")
        self._who = who
        self._pool = urllib3.PoolManager(maxsize=AT_ONCE, block=True, retries=False, timeout=TIMEOUT)

    def post(self, path: str, body: object, *, key: str | None = None) -> Reply:
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self._ask("POST", path, headers, msgspec.json.encode(body))

    def get(self, path: str, parameters: Mapping[str, str | int] | None = None) -> Reply:
        return self._ask("GET", f"{path}?{urlencode(parameters)}" if parameters else path)

    def _ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        url = self._base + path
        try:
            answer = self._pool.request(
                method, url, body=body, headers=headers, redirect=False, pool_timeout=WAIT_FOR_CONNECTION
            )
        except HTTPError as error:
            raise Fault(f"{self._who} {_trouble(error)}.") from error
        reach(Point.ANSWERED, path)
        if answer.status >= 500:
            raise Fault(f"{self._who} is not available ({answer.status}).")
        return Reply(self._who, answer.status, answer.data)


def _trouble(error: HTTPError) -> str:
    """In our words: the library's own carry addresses and parameters."""
    if isinstance(error, NewConnectionError | NameResolutionError):
        return "can't be reached"
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, ProtocolError):
        return "broke off without an answer"
    return f"could not be asked ({type(error).__name__})"


def call_each(
    call: Callable[[Item], Result], items: Sequence[Item], key_of: Callable[[Item], str]
) -> dict[str, Result | Fault]:
    """Call for every item, several at once. What breaks is the item's own answer and nobody else's."""

    def guarded(item: Item) -> Result | Fault:
        try:
            return call(item)
        except Fault as fault:
            return fault
        except Exception as error:
            broken = Fault(f"A call to the outside failed ({type(error).__name__}).")
            broken.__cause__ = error
            return broken

    by_key = {key_of(item): item for item in items}
    if len(by_key) <= 1:
        return {key: guarded(item) for key, item in by_key.items()}
    with ThreadPoolExecutor(min(AT_ONCE, len(by_key)), thread_name_prefix="call") as threads:
        return dict(zip(by_key, threads.map(guarded, by_key.values()), strict=True))
