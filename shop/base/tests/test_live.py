"""Streams hear of what has changed, by one question for all of them; and they end when they must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Coroutine, Hashable, Iterator, Mapping
from io import BytesIO
from typing import Any, cast

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from shop.base import live
from shop.base.live import Watch


class World:
    """What is watched, and what was asked of it."""

    def __init__(self) -> None:
        self.versions: dict[str, Hashable] = {}
        self.asked: list[set[str]] = []
        self.away = False

    def __call__(self, keys: Collection[str]) -> Mapping[str, Hashable]:
        self.asked.append(set(keys))
        if self.away:
            raise RuntimeError("away")
        return {key: self.versions[key] for key in keys if key in self.versions}


@pytest.fixture
def world() -> Iterator[World]:
    yield World()
    live._ending.clear()


def request(version: str = "", last: str = "") -> ASGIRequest:
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
    scope["query_string"] = f"version={version}".encode()
    if last:
        scope["headers"] = [(b"last-event-id", last.encode())]
    return ASGIRequest(scope, BytesIO())


def stream(watch: Watch[str], key: str, **known: str) -> AsyncIterator[bytes]:
    answer = watch.stream(request(**known), key)
    assert isinstance(answer, StreamingHttpResponse)
    return cast("AsyncIterator[bytes]", answer.streaming_content)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 10))


def test_a_stream_tells_what_changed_after_the_page_was_made_and_nothing_else(world: World) -> None:
    watch = Watch(world, every=0.01)
    world.versions = {"a": 1, "b": 1}

    async def test() -> None:
        old, same = stream(watch, "a", version="older"), stream(watch, "b", version=watch.version("b"))
        assert await anext(old) == await anext(same) == b"retry: 2000\n\n"
        waits = asyncio.ensure_future(anext(same))
        first, now = await anext(old), watch.version("a")
        assert first == f"id: {now}\nevent: changed\ndata: {now}\n\n".encode()
        await asyncio.sleep(0.05)
        assert not waits.done()
        world.versions["b"] = 2
        assert watch.version("b").encode() in await waits

    run(test())
    assert {"a", "b"} in world.asked  # one question for both


def test_a_browser_that_comes_back_says_what_it_heard_last(world: World) -> None:
    watch = Watch(world, every=0.01)
    world.versions = {"a": 2}

    async def test() -> None:
        back = stream(watch, "a", version="of the page", last=watch.version("a"))
        await anext(back)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(back), 0.1)

    run(test())


def test_nothing_is_asked_when_nobody_looks(world: World) -> None:
    watch = Watch(world, every=0.01)

    async def test() -> None:
        only = stream(watch, "a")
        await anext(only)
        await anext(only)
        await only.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0.05)
        asked = len(world.asked)
        await asyncio.sleep(0.05)
        assert len(world.asked) == asked

    run(test())
    assert not live._open


def test_while_the_database_is_away_streams_stay(world: World, caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch(world, every=0.01)
    world.versions, world.away = {"a": 1}, True

    async def test() -> None:
        stays = stream(watch, "a")
        await anext(stays)
        waits = asyncio.ensure_future(anext(stays))
        await asyncio.sleep(0.1)
        world.away = False
        assert b"changed" in await waits

    run(test())
    assert len(caplog.records) == 1


def test_a_stream_lives_so_long_and_is_heard_of_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.05)
    monkeypatch.setattr(live, "LONGEST", 0.3)
    watch = Watch(world, every=0.01)

    async def test() -> None:
        parts = [part async for part in stream(watch, "a", version=watch.version("a"))]
        assert 3 <= parts.count(b":\n\n") <= 6

    run(test())


def test_when_the_process_ends_so_do_its_streams(world: World) -> None:
    watch = Watch(world, every=0.01)

    async def test() -> None:
        waits = asyncio.ensure_future(_all(stream(watch, "a", version=watch.version("a"))))
        await asyncio.sleep(0.05)
        live.end_streams()
        assert await waits == [b"retry: 2000\n\n"]

    run(test())


async def _all(parts: AsyncIterator[bytes]) -> list[bytes]:
    return [part async for part in parts]


def test_there_are_no_more_streams_than_there_may_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST", 0)
    answer = Watch(world).stream(request(), "a")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


def test_where_there_is_no_event_loop_the_browser_asks_again_and_again(world: World) -> None:
    """Django's own servers, as tests use them."""
    watch = Watch(world)
    world.versions = {"a": 1}
    now = watch.version("a")
    answer = watch.stream(RequestFactory().get(f"/?version={now}"), "a")
    assert b"".join(answer) == b"retry: 2000\n\n"
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("text/event-stream", "no-store")
    world.versions = {}
    assert b"event: changed" in b"".join(watch.stream(RequestFactory().get(f"/?version={now}"), "a"))


def test_one_person_and_one_link_leave_streams_to_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks; also who asks many times at once, before the first of them has begun."""
    monkeypatch.setattr(live, "MOST_OF_ONE", 2)
    watch, other = Watch(world, every=0.01), Watch(world, every=0.01)

    def asks(name: str, key: str, of: Watch[str] = watch) -> Any:
        asked = request()
        asked.user = User(pk=len(name)) if name else AnonymousUser()
        return of.stream(asked, key)

    async def test() -> None:
        for name in ("", "ada"):
            parts = [cast("AsyncGenerator[bytes, None]", asks(name, "a").streaming_content) for _ in range(3)]
            assert [await anext(part, b"") for part in parts] == [b"retry: 2000\n\n"] * 2 + [b""]
            refused = asks(name, "b" if name else "a")  # a person's pages are counted, whatever they show
            assert (refused.status_code, refused["Retry-After"]) == (429, "30")
            assert asks(name + "!", "a").status_code == asks("", "c").status_code == 200
            assert name or asks("", "a", other).status_code == 200
            await parts[0].aclose()
            await asyncio.sleep(0.02)
            assert asks(name, "a").status_code == 200
            await parts[1].aclose()
            await asyncio.sleep(0.02)
        assert not live._of_each

    run(test())
