"""Many HTTP calls at once in one thread: libcurl makes them, over connections that it keeps."""

from __future__ import annotations

import os
import ssl
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO

import pycurl
from django.conf import settings

CONNECT_WITHIN = 2000  # ms
ANSWER_WITHIN = 7000  # ms, connecting included
GATHER_FOR = 0.1  # s for which an answer waits for others, while calls are under way
LOOK_EVERY = 0.1  # s, at the latest: libcurl's own clocks are looked at then
NOTHING_TO_WATCH = 0.001  # s to wait when libcurl has no connection that could be waited for

UNREACHABLE = {pycurl.E_COULDNT_CONNECT, pycurl.E_COULDNT_RESOLVE_HOST}
BROKEN_OFF = {
    pycurl.E_GOT_NOTHING,
    pycurl.E_PARTIAL_FILE,
    pycurl.E_RECV_ERROR,
    pycurl.E_SEND_ERROR,
    pycurl.E_SEND_FAIL_REWIND,  # what stops libcurl from sending a request again by itself: see `prepare`
    pycurl.E_FTP_WEIRD_SERVER_REPLY,  # of HTTP too, in spite of its name
}


class Call:
    """What is asked (without a body: GET, else POST), and what came of it: a status and data, or trouble, in words."""

    __slots__ = ("_data", "body", "headers", "is_unreachable", "status", "trouble", "url")

    def __init__(self, url: str, headers: Sequence[str] = (), body: bytes | None = None) -> None:
        self.url, self.headers, self.body = url, list(headers), body
        self.status, self.trouble, self.is_unreachable, self._data = 0, "", False, BytesIO()

    @property
    def data(self) -> bytes:
        return self._data.getvalue()

    def prepare(self, handle: pycurl.Curl) -> None:
        handle.setopt(pycurl.URL, self.url)
        handle.setopt(pycurl.WRITEDATA, self._data)
        if self.body is None:
            handle.setopt(pycurl.HTTPGET, True)
        else:
            handle.setopt(pycurl.POST, True)
            handle.setopt(pycurl.POSTFIELDSIZE, len(self.body))
            # Not POSTFIELDS: a body that can be read only once is not sent twice when a kept connection breaks off.
            handle.setopt(pycurl.READFUNCTION, BytesIO(self.body).read)
        handle.setopt(pycurl.HTTPHEADER, [*self.headers, "Expect:"])

    def fail(self, error: int) -> None:
        """In our words: the library's own carry addresses."""
        if error in UNREACHABLE:
            self.trouble, self.is_unreachable = "can't be reached", True
        elif error == pycurl.E_OPERATION_TIMEDOUT:
            self.trouble = "did not answer in time"
        elif error in BROKEN_OFF:
            self.trouble = "broke off without an answer"
        else:
            self.trouble = f"could not be asked (libcurl's error {error})"


class _Round:
    """The calls of one ``make``."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self.waiting = calls if isinstance(calls, deque) else deque(calls)
        self.under_way = 0
        self.ended: list[Call] = []
        self.since = 0.0

    def end(self, call: Call) -> None:
        if not self.ended:
            self.since = time.monotonic()
        self.ended.append(call)
        self.under_way -= 1

    @property
    def complete(self) -> bool:
        """Whether those that have ended are a group: all have, or the first of them has waited long enough."""
        over = not (self.waiting or self.under_way)
        return over or (bool(self.ended) and self.patience <= 0)

    @property
    def patience(self) -> float:
        """Seconds until the first of those that have ended has waited long enough."""
        return self.since + GATHER_FOR - time.monotonic() if self.ended else LOOK_EVERY


class Caller:
    """Makes the calls of one thread, at most so many at once."""

    def __init__(self, at_once: int) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, at_once)
        self._at_once = at_once
        self._idle: list[pycurl.Curl] = []
        self._under_way: dict[pycurl.Curl, tuple[Call, _Round]] = {}
        _callers.add(self)

    def make(self, calls: Iterable[Call]) -> Iterator[list[Call]]:
        """Make these calls. Yields them as they end: those that end soon after one another together.

        Between two groups the caller may take its time, also for calls of another ``make``: what is under way goes on
        outside, up to its time limit. When it stops taking groups, what is under way is waited for: the outside would
        call these keys busy. From a deque of calls it may take back those that have not begun.
        """
        mine = _Round(calls)
        try:
            while mine.waiting or mine.under_way or mine.ended:
                self._begin(mine)
                some_ended = self._look()
                if mine.complete:
                    self._begin(mine)  # so that the outside is at work while the caller is
                    self._multi.perform()
                    group, mine.ended = mine.ended, []
                    yield group
                elif not some_ended:
                    self._wait(max(0.0, mine.patience))
        finally:
            while mine.under_way:
                if not self._look():
                    self._wait(LOOK_EVERY)

    def _begin(self, mine: _Round) -> None:
        while mine.waiting and len(self._under_way) < self._at_once:
            handle, call = self._idle.pop() if self._idle else fresh_handle(), mine.waiting.popleft()
            call.prepare(handle)
            self._under_way[handle] = call, mine
            mine.under_way += 1
            self._multi.add_handle(handle)

    def _look(self) -> bool:
        """Note which calls have ended. Returns whether any has."""
        self._multi.perform()
        left, ended = 1, False
        while left:
            left, answered, failed = self._multi.info_read()
            for handle in answered:
                self._release(handle).status = handle.getinfo(pycurl.RESPONSE_CODE)
            for handle, error, _ in failed:
                self._release(handle).fail(error)
            ended = ended or bool(answered or failed)
        return ended

    def _wait(self, seconds: float) -> None:
        """Until something happens to a call."""
        if not self._multi.select(seconds):
            time.sleep(NOTHING_TO_WATCH)

    def _release(self, handle: pycurl.Curl) -> Call:
        call, whose = self._under_way.pop(handle)
        self._multi.remove_handle(handle)
        self._idle.append(handle)
        whose.end(call)
        return call


def fresh_handle() -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.NOSIGNAL, True)
    handle.setopt(pycurl.PROXY, "")  # whatever the environment says
    handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    handle.setopt(pycurl.CONNECTTIMEOUT_MS, CONNECT_WITHIN)
    handle.setopt(pycurl.TIMEOUT_MS, ANSWER_WITHIN)
    trusted = (
        ssl.get_default_verify_paths()
    )  # the system's: the wheel's libcurl looks where its builder had them
    if trusted.cafile:
        handle.setopt(pycurl.CAINFO, trusted.cafile)
    if trusted.capath:
        handle.setopt(pycurl.CAPATH, trusted.capath)
    return handle


def caller() -> Caller:
    """This thread's, made when it is first asked for."""
    found: Caller | None = getattr(_mine, "caller", None)
    if found is None:
        found = _mine.caller = Caller(settings.PROVIDER_CALLS_AT_ONCE)
    return found


_mine = threading.local()
_callers: weakref.WeakSet[Caller] = weakref.WeakSet()
_kept_over_a_fork: list[Caller] = []


def _before_fork() -> None:
    _kept_over_a_fork.extend(_callers)


def _in_the_child() -> None:
    """Two processes on one connection would mix up their answers; and closing it would say goodbye for the parent."""
    _mine.__dict__.clear()


os.register_at_fork(
    before=_before_fork, after_in_parent=_kept_over_a_fork.clear, after_in_child=_in_the_child
)
