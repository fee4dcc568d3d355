"""One call to a customer's server, which nobody here knows: bounded in time and size, and only to public addresses."""

from __future__ import annotations

import socket
import threading
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from io import BytesIO
from typing import Any

import msgspec
import pycurl
from django.conf import settings
from django.utils import timezone

from orders.webhooks.addresses import NOT_PUBLIC, may_be_called
from shop.base.calls import BROKEN_OFF, UNREACHABLE, fresh_handle

LONGEST_ANSWER = 4096  # bytes that are read of a body, to keep the connection; none of them is kept
TAKEN, REDIRECTS = range(200, 300), range(300, 400)
AWAY = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class Answer(msgspec.Struct, frozen=True):
    """``status``: 0 if there was none. ``trouble``: why it is not taken, in words. ``retry_after``: s, if it said so."""

    status: int = 0
    trouble: str = ""
    retry_after: float = 0.0

    @property
    def taken(self) -> bool:
        return not self.trouble

    @property
    def gone(self) -> bool:
        return self.status == HTTPStatus.GONE

    @property
    def nobody_there(self) -> bool:
        """Whether the next message would meet the same."""
        return not self.taken and (not self.status or self.status in AWAY)


_mine = threading.local()


def call(url: str, headers: list[str], body: bytes) -> Answer:
    """POST it once. Redirects are not followed, and what is answered is not kept."""
    handle: pycurl.Curl | None = getattr(_mine, "handle", None)
    if handle is None:
        handle = _mine.handle = fresh_handle()
    asked = _Asked()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    handle.setopt(pycurl.TIMEOUT_MS, int(settings.WEBHOOKS["ANSWER_WITHIN"] * 1000))
    handle.setopt(pycurl.POST, True)
    handle.setopt(pycurl.POSTFIELDSIZE, len(body))
    handle.setopt(pycurl.READFUNCTION, BytesIO(body).read)
    handle.setopt(pycurl.HTTPHEADER, [*headers, "Expect:"])
    handle.setopt(pycurl.OPENSOCKETFUNCTION, asked.open)
    handle.setopt(pycurl.HEADERFUNCTION, asked.header)
    handle.setopt(pycurl.WRITEFUNCTION, asked.read)
    try:
        handle.perform()
    except pycurl.error as error:
        if not asked.full:
            return Answer(trouble=asked.why(int(error.args[0])))
    finally:
        asked.close()
    return _answer(int(handle.getinfo(pycurl.RESPONSE_CODE)), asked.retry_after)


def _answer(status: int, retry_after: str) -> Answer:
    if status in TAKEN:
        return Answer(status)
    if status == HTTPStatus.GONE:
        return Answer(status, "answered that nobody is there any more (410)")
    if status in REDIRECTS:
        return Answer(status, f"answered with a redirect ({status}), which is not followed")
    return Answer(status, f"did not take it ({status})", _seconds(retry_after))


def _seconds(retry_after: str) -> float:
    """Of a Retry-After, which names seconds or a date."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - timezone.now()).total_seconds())
    except (ValueError, TypeError):
        return 0.0


class _Asked:
    """What libcurl asks and tells during one call."""

    def __init__(self) -> None:
        self.refused, self.full, self.retry_after, self._size = False, False, "", 0
        self._opened: list[socket.socket] = []

    def open(self, purpose: int, address: Any) -> Any:
        """At the very moment of connecting: so a name that leads elsewhere than a moment ago leads nowhere."""
        if address.family not in (socket.AF_INET, socket.AF_INET6) or not may_be_called(address.addr[0]):
            self.refused = True
            return pycurl.SOCKET_BAD
        opened = socket.socket(address.family, address.socktype, address.protocol)
        self._opened.append(opened)
        return opened

    def close(self) -> None:
        """What libcurl has of a socket is a copy."""
        for opened in self._opened:
            opened.close()

    def header(self, line: bytes) -> None:
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "retry-after":
            self.retry_after = value.strip()

    def read(self, data: bytes) -> int | None:
        self._size += len(data)
        self.full = self._size > LONGEST_ANSWER
        return 0 if self.full else None  # fewer than there were: libcurl hangs up

    def why(self, error: int) -> str:
        if self.refused:
            return NOT_PUBLIC
        if error in UNREACHABLE:
            return "can't be reached"
        if error == pycurl.E_OPERATION_TIMEDOUT:
            return "did not answer in time"
        if error in BROKEN_OFF:
            return "broke off without an answer"
        return f"could not be asked (libcurl's error {error})"
