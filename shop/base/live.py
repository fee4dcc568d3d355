"""Pages that change by themselves: a browser keeps a stream open and is told when what it shows has changed.

What has changed is not told: the browser gets the page again, as anybody does (docs/decisions/22). So nothing is drawn
twice, and the streams of all browsers need one question each half second:

    watch = Watch(versions)  # of which keys? -> the version of each, whatever changes when the page would

    def page(request, key):    # …/stream/?version={{ version }}, see shop/templates/shop/live.html
        version = watch.version(key)  # asked before the page's own rows, so that no change falls between

    def stream(request, key):  # after it has looked whether this person may see it
        return watch.stream(request, key)
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Mapping
from hashlib import blake2s
from threading import Event
from typing import Generic, TypeVar

from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from shop.base.saying import Seldom
from shop.base.serving.pool import Full, pool

Key = TypeVar("Key", bound=Hashable)

MOST = 1_000  # streams of one process
MOST_OF_ONE = (
    25  # of one person who is logged in; of one page, for all whom nobody knows. A hidden tab has none.
)
HEARTBEAT = 15.0  # s, so that nobody on the way takes a quiet stream for a dead one
LONGEST = 15 * 60.0  # s; then the browser asks again, and is looked at again: may it still see this?
AGAIN = 2.0  # s until a browser that lost its stream asks again

logger = logging.getLogger(__name__)


class _Seat:
    """One open stream."""

    def __init__(self, version: str, whose: Hashable) -> None:
        self.version, self.whose = version, whose
        self.woken = asyncio.Event()

    def tell(self, version: str) -> None:
        if version != self.version:
            self.version = version
            self.woken.set()


_open: set[_Seat] = set()  # of all watches; it and all seats are changed in the event loop's thread only
_of_each: Counter[Hashable] = Counter()
_ending = Event()


def end_streams() -> None:
    """The process is about to end: all streams do. Called in the event loop's thread."""
    _ending.set()
    for seat in _open:
        seat.woken.set()


class Watch(Generic[Key]):
    """One kind of thing that people look at, and the streams of those who do.

    ``versions``: takes the keys that are looked at, returns the version of each, from one statement; a key that is
    gone may be missing. It runs in a thread. ``every``: s between two questions, while anybody looks.
    """

    def __init__(
        self, versions: Callable[[Collection[Key]], Mapping[Key, Hashable]], *, every: float = 0.5
    ) -> None:
        self._versions, self._every = versions, every
        self._seats: defaultdict[Key, set[_Seat]] = defaultdict(set)
        self._looking: asyncio.Task[None] | None = None
        self._seldom = Seldom()

    def version(self, key: Key) -> str:
        """The version of now, for the address of the stream. Ask before the page's rows are read."""
        return _token(self._versions([key]).get(key))

    def stream(self, request: HttpRequest, key: Key) -> HttpResponseBase:
        """Events named ``changed``, each with a version, whenever it is another than the browser has.

        The browser's is what it heard last, or ``?version=``. Without an event loop, under Django's own servers, the
        answer ends at once: the browser asks again and again instead.
        """
        known = request.headers.get("Last-Event-ID") or request.GET.get("version", "")
        if not isinstance(request, ASGIRequest):
            now = self.version(key)
            return _streamed([_again(), *([_changed(now)] if now != known else [])])
        whose = self._whose(request, key)
        if len(_open) >= MOST:
            return _full("Too many pages are open here. Try again later.", 503)
        if _of_each[whose] >= MOST_OF_ONE:
            return _full(f"{MOST_OF_ONE} pages like this are open already. Close one.", 429)
        return _streamed(self._told(key, _Seat(known, whose)))

    def _whose(self, request: HttpRequest, key: Key) -> Hashable:
        """A person's, or the page's: one link can't take all streams there are."""
        person = getattr(request, "user", None)
        return person.pk if person and person.is_authenticated else (id(self), key)

    async def _told(self, key: Key, seat: _Seat) -> AsyncIterator[bytes]:
        loop, known = asyncio.get_running_loop(), seat.version
        if len(_open) >= MOST or _of_each[seat.whose] >= MOST_OF_ONE:
            return  # others who asked at the same moment sat down first
        until = loop.time() + LONGEST
        self._sit_down(key, seat)
        try:
            yield _again()
            while not _ending.is_set() and loop.time() < until:
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        await seat.woken.wait()
                except TimeoutError:
                    yield b":\n\n"
                    continue
                seat.woken.clear()
                if seat.version != known:
                    known = seat.version
                    yield _changed(known)
        finally:
            self._get_up(key, seat)

    def _sit_down(self, key: Key, seat: _Seat) -> None:
        _open.add(seat)
        _of_each[seat.whose] += 1
        self._seats[key].add(seat)
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())

    def _get_up(self, key: Key, seat: _Seat) -> None:
        _open.discard(seat)
        _of_each[seat.whose] -= 1
        if not _of_each[seat.whose]:
            del _of_each[seat.whose]
        self._seats[key].discard(seat)
        if not self._seats[key]:
            del self._seats[key]

    async def _look(self) -> None:
        """As long as anybody sits here."""
        loop = asyncio.get_running_loop()
        try:
            while self._seats:
                began = loop.time()
                keys = list(self._seats)
                try:
                    found = await pool.run(self._asked, keys)
                except Full:
                    found = {}
                except Exception:  # the database is away; the streams stay
                    found = {}
                    if self._seldom():
                        logger.warning("What is looked at can't be asked for now.", exc_info=True)
                for key, version in found.items():
                    for seat in self._seats.get(key, ()):
                        seat.tell(version)
                await asyncio.sleep(max(self._every - (loop.time() - began), self._every / 5))
        finally:
            self._looking = None

    def _asked(self, keys: Collection[Key]) -> dict[Key, str]:
        """Nobody's request, so what Django does with connections around one is done here."""
        close_old_connections()
        try:
            found = self._versions(keys)
        finally:
            close_old_connections()
        return {key: _token(found.get(key)) for key in keys}


def _full(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain", headers={"Retry-After": "30"})


def _token(version: Hashable) -> str:
    return blake2s(repr(version).encode(), digest_size=8).hexdigest()


def _again() -> bytes:
    return f"retry: {AGAIN * 1000:.0f}\n\n".encode()


def _changed(version: str) -> bytes:
    return f"id: {version}\nevent: changed\ndata: {version}\n\n".encode()


def _streamed(events: AsyncIterator[bytes] | list[bytes]) -> StreamingHttpResponse:
    """No store keeps it, and no proxy holds it back."""
    return StreamingHttpResponse(
        events,
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
