"""What the handler does with a request before and after a thread has it; the client is played by the test."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from shop.base.serving import bodies, handler
from shop.base.serving.handler import Handler
from shop.base.serving.pool import Pool

Message = Mapping[str, Any]
where: list[str] = []  # the threads in which views ran
closed: list[str] = []


def echo(request: HttpRequest) -> HttpResponse:
    where.append(threading.current_thread().name)
    response = HttpResponse(request.body)
    response.set_cookie("seen", "yes")
    return response


def endless(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"tick"
                await asyncio.sleep(0.01)
        finally:
            closed.append("stream")

    return StreamingHttpResponse(parts())


urlpatterns = [path("echo", echo), path("api/echo", echo), path("endless", endless)]


@pytest.fixture(autouse=True)
def routes() -> Iterator[None]:
    where.clear()
    closed.clear()
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
        yield


class Browser:
    """Sends the parts of a body, then stays; leaves when it has got as many parts of an answer as it likes."""

    def __init__(
        self, *parts: bytes, path: str = "/echo", method: str = "POST", stays_for: int = 100
    ) -> None:
        self.parts, self.stays_for = list(parts), stays_for
        self.scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
        self.got: list[Message] = []
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        if self.parts:
            body = self.parts.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self.parts)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.got.append(message)
        if len(self.got) >= self.stays_for:
            self.gone.set()

    @property
    def status(self) -> int:
        return int(self.got[0]["status"])

    @property
    def answer(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.got[1:])


def asked(browser: Browser) -> Browser:
    asyncio.run(asyncio.wait_for(Handler()(browser.scope, browser.receive, browser.send), 10))
    return browser


def test_a_body_in_parts_is_read_whole_and_answered_from_a_thread_of_the_pool() -> None:
    browser = asked(Browser(b"one ", b"two"))
    assert (browser.status, browser.answer) == (200, b"one two")
    assert where[0].startswith("web")
    assert any(name == b"Set-Cookie" and b"seen=yes" in value for name, value in browser.got[0]["headers"])


def test_an_answer_to_head_has_no_body() -> None:
    browser = asked(Browser(b"four", method="HEAD"))
    assert (browser.status, browser.answer) == (200, b"")


@pytest.mark.parametrize("announced", [True, False])
def test_too_large_a_body_is_not_read_to_its_end(announced: bool) -> None:
    parts = [bytes(100_000)] * 20
    browser = Browser(*parts)
    if announced:
        browser.scope["headers"] = [(b"content-length", b"2000000")]
    asked(browser)
    assert browser.status == 400  # Django's own; the API says 413, see shop/tests/test_problems.py
    assert len(browser.parts) == (
        20 if announced else 20 - settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 100_000 - 1
    )


def test_a_body_that_does_not_come_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "WITHIN", 0.05)

    class Slow(Browser):
        async def receive(self) -> Message:
            if self.parts:
                return {"type": "http.request", "body": self.parts.pop(), "more_body": True}
            return await super().receive()

    browser = asked(Slow(b"half"))
    assert (browser.status, where) == (408, [])
    problem = json.loads(asked(Slow(b"half", path="/api/echo")).answer)
    assert (problem["status"], problem["instance"]) == (408, "/api/echo")


def test_a_large_body_that_does_not_come_to_an_end_gives_way_to_small_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = bodies.Room(most=100_000)
    monkeypatch.setattr(bodies, "room", room)
    monkeypatch.setattr(handler, "room", room)

    class Half(Browser):
        async def receive(self) -> Message:
            if self.parts:
                return {"type": "http.request", "body": self.parts.pop(), "more_body": True}
            return await super().receive()

    async def together(*browsers: Browser) -> None:
        shop = Handler()
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            for browser in browsers:
                tasks.create_task(shop(browser.scope, browser.receive, browser.send))
                await asyncio.sleep(0.01)
            for browser in browsers:
                browser.gone.set()

    half, larger = Half(bytes(40_000)), Half(bytes(50_000), path="/api/echo")
    small, whole = Browser(bytes(30_000)), Browser(bytes(99_000))
    asyncio.run(together(half, larger, small))
    assert (larger.status, small.status, half.got) == (503, 200, [])  # who sent the half has left
    assert (b"Retry-After", b"2") in larger.got[0]["headers"]
    assert room.taken == 0
    assert asked(whole).status == 200
    assert asked(Browser(bytes(101_000))).status == 503
    assert room.taken == 0


def test_who_leaves_before_all_is_sent_is_not_answered() -> None:
    browser = Browser()
    browser.gone.set()
    assert asked(browser).got == []
    assert where == []


def test_who_finds_the_line_full_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "pool", Pool(threads=1, most_waiting=-1))
    browser = asked(Browser(b""))
    assert (browser.status, where) == (503, [])
    assert (b"Retry-After", b"2") in browser.got[0]["headers"]


def test_a_stream_ends_when_its_client_leaves() -> None:
    browser = asked(Browser(b"", path="/endless", stays_for=4))
    assert browser.answer.startswith(b"ticktick")
    assert closed == ["stream"]


def test_only_http_is_served() -> None:
    browser = Browser()
    browser.scope["type"] = "websocket"
    with pytest.raises(ValueError, match="websocket"):
        asked(browser)


def test_who_asks_for_much_at_once_waits_for_themselves() -> None:
    """One thread, and twenty requests of one address before the first of another; and one who goes while it waits."""
    served: list[str] = []

    async def test() -> None:
        line = Pool(threads=1)
        many = [asyncio.create_task(line.run(served.append, "many", whose="a")) for _ in range(20)]
        await asyncio.sleep(0)
        other = asyncio.create_task(line.run(served.append, "other", whose="b"))
        leaves = asyncio.create_task(line.run(served.append, "left", whose="c"))
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.gather(*many, other)
        assert line._idle == 1
        assert not line._lines
        assert not line._taken

    asyncio.run(asyncio.wait_for(test(), 10))
    assert served.index("other") <= 2
    assert served.count("many") == 20
    assert "left" not in served
