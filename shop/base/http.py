"""Calls to outside services: JSON over kept-alive connections, bounded in time, many at once, no hidden retries."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from shop.base.breaker import Breaker
from shop.base.calls import Call, caller
from shop.base.tally import tally
from shop.messaging.heartbeat import beat
from shop.messaging.origins import waiting_outside
from shop.messaging.outcomes import Fault
from shop.messaging.points import Point, reach

TOO_MANY = 429
SHORTEST = 3  # letters of what is left out of a sentence: a country's two would tear words apart
SAYS_SO = {TOO_MANY, 502, 503, 504}  # that it, or what stands before it, can't take any request now

Result = TypeVar("Result")
Body = TypeVar("Body")


class _Error(msgspec.Struct, frozen=True):
    type: str = ""
    message: str = ""


class _ErrorBody(msgspec.Struct, frozen=True):
    error: _Error = _Error()


class Reply(msgspec.Struct, frozen=True):
    """An answer below 500. Who gave it is named in the sentence of a fault. ``private``: as in ``Post``."""

    who: str
    status: int
    data: bytes
    private: tuple[str, ...] = ()

    def repeated(self, text: str) -> str:
        """A text of the answer that goes into events and logs: without what was sent of a person."""
        for value in sorted(self.private, key=len, reverse=True):
            if len(value) >= SHORTEST:
                text = re.sub(re.escape(value), "…", text, flags=re.IGNORECASE)
        return text

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
        reason = self.repeated(error.message)[:300] or "no reason given"
        return Fault(f"{self.who} did not take the request ({self.status}): {reason}.")


class Post(msgspec.Struct, frozen=True):
    """``key``: asking again with it does nothing again. ``private``: what the body holds of a person; should the answer
    repeat it, nobody is told."""

    path: str
    body: object
    key: str = ""
    private: tuple[str, ...] = ()


class Client:
    """``who`` begins the sentence of every fault: "The carrier". ``service``: the app whose provider it is."""

    def __init__(self, base_url: str, who: str, service: str) -> None:
        self._base = base_url.rstrip("/")
        self._who, self._service = who, service
        self._breaker = Breaker(service, who)

    def get(self, path: str, parameters: Mapping[str, str | int] | None = None) -> Reply:
        """Ask once. Raises Fault."""
        call = Call(f"{self._base}{path}{'?' if parameters else ''}{urlencode(parameters or {})}")
        with waiting_outside():
            list(caller().make([call]))
        return self._reply(call)

    def post_each(
        self, posts: Mapping[str, Post], read: Callable[[Reply], Result]
    ) -> Iterator[dict[str, Result | Fault]]:
        """Make all these calls, as many at once as may be. Yields what ``read`` makes of the answers, as they come.

        Every post has one answer, under its name here. What breaks is its own answer and nobody else's.
        """
        names: dict[Call, str] = {}
        unasked: dict[str, Result | Fault] = {}
        for name, post in posts.items():
            try:
                names[self._call(post)] = name
            except Exception as error:
                unasked[name] = _broken(error)
        if unasked:
            yield unasked
        calls = deque(names)
        for group in self._make(calls):
            yield {names[call]: self._answer(call, read, posts[names[call]].private) for call in group}
        if calls:
            yield {names[call]: self._breaker.fault() for call in calls}

    def _make(self, calls: deque[Call]) -> Iterator[list[Call]]:
        """Make these calls as long as the provider is there. What is left of them in the end was not made."""
        allowed = self._breaker.allowed(len(calls))
        while calls and allowed:
            now = deque(calls.popleft() for _ in range(allowed))
            groups = caller().make(now)
            while True:
                with waiting_outside():
                    group = next(groups, None)
                if not group:
                    break
                beat()
                yield group
                if self._breaker.open:  # they would be in vain, too
                    calls.extendleft(reversed(now))
                    now.clear()
            allowed = 0 if self._breaker.open else len(calls)

    def _call(self, post: Post) -> Call:
        headers = ["Content-Type: application/json"]
        if post.key:
            headers.append(f"Idempotency-Key: {post.key}")
        return Call(self._base + post.path, headers, msgspec.json.encode(post.body))

    def _answer(
        self, call: Call, read: Callable[[Reply], Result], private: tuple[str, ...]
    ) -> Result | Fault:
        try:
            return read(self._reply(call, private))
        except Fault as fault:
            return fault
        except Exception as error:
            return _broken(error)

    def _reply(self, call: Call, private: tuple[str, ...] = ()) -> Reply:
        if call.trouble:
            raise self._in_vain(call, call.trouble, nobody_there=call.is_unreachable)
        reach(Point.ANSWERED, call.url.removeprefix(self._base))
        if call.status >= 500 or call.status == TOO_MANY:
            raise self._in_vain(
                call, f"is not available ({call.status})", nobody_there=call.status in SAYS_SO
            )
        self._breaker.answered()
        tally.add("provider_calls", self._service, "answered")
        return Reply(self._who, call.status, call.data, private)

    def _in_vain(self, call: Call, trouble: str, *, nobody_there: bool) -> Fault:
        tally.add("provider_calls", self._service, "in vain")
        asked = call.body.decode(errors="replace") if call.body else call.url
        return self._breaker.in_vain(asked, trouble, nobody_there=nobody_there)


def _broken(error: Exception) -> Fault:
    fault = Fault(f"A call to the outside failed ({type(error).__name__}).")
    fault.__cause__ = error
    return fault
