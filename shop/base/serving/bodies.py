"""Bodies of requests are read before a thread is asked for: who sends slowly holds up nobody, nor takes up all memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestAborted, RequestDataTooBig

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

WITHIN = 20.0  # s in which a body must be there
IN_ALL = (
    64 * 1024 * 1024
)  # bytes of all bodies there are at once: they arrive, wait for a thread, or are worked on


class Crowded(Exception):
    """All bodies together are more than there is room for, and of those that still arrive this is the largest."""


class Place:
    """What one body takes up."""

    def __init__(self) -> None:
        self.size = 0
        self.arrives: asyncio.Timeout | None = None
        self.given_up = False


class Room:
    """For all bodies of the process. When it is full who has sent most of a body that is not there yet has to go.

    So half-sent large bodies, however many, keep no small one out. Used in the event loop's thread only.
    """

    def __init__(self, most: int = IN_ALL) -> None:
        self._most = most
        self._places: set[Place] = set()
        self.taken = 0

    @contextmanager
    def place(self) -> Iterator[Place]:
        place = Place()
        try:
            yield place
        finally:
            self._leave(place)

    def grow(self, place: Place, by: int) -> None:
        """
        Raises:
            Crowded: it is this one that has to go.
        """
        if place.given_up:
            raise Crowded
        self._places.add(place)
        place.size += by
        self.taken += by
        while self.taken > self._most:
            largest = max((one for one in self._places if one.arrives), key=lambda one: one.size)
            self._give_up(largest)
            if largest is place:
                raise Crowded

    def _give_up(self, place: Place) -> None:
        place.given_up = True
        self._leave(place)
        if place.arrives:
            place.arrives.reschedule(asyncio.get_running_loop().time())

    def _leave(self, place: Place) -> None:
        if place in self._places:
            self._places.remove(place)
            self.taken -= place.size


room = Room()


class TooLarge(BytesIO):
    """What stands in for a body that is not read: whoever reads it refuses the request, as Django does."""

    def read(self, *arguments: Any) -> bytes:
        raise RequestDataTooBig("The body is larger than settings.DATA_UPLOAD_MAX_MEMORY_SIZE.")

    readline = read


async def read_body(scope: Scope, receive: Receive, place: Place) -> BytesIO:
    """The whole body, or at once ``TooLarge``. ``scope`` then tells its length, which one in chunks doesn't bring.

    Raises:
        TimeoutError: it did not come in time.
        Crowded: as said there.
        RequestAborted: who sent it has gone.
    """
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    announced = next((int(value) for name, value in scope["headers"] if name == b"content-length"), None)
    if announced is not None and announced > most:
        return TooLarge()
    body, more = bytearray(), True
    try:
        async with asyncio.timeout(WITHIN) as place.arrives:
            while more and len(body) <= most:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestAborted
                if part := message.get("body", b""):
                    room.grow(place, len(part))
                    body += part
                more = message.get("more_body", False)
    except TimeoutError:
        if place.given_up:
            raise Crowded from None
        raise
    place.arrives = None
    if announced is None and body:
        scope["headers"] = [*scope["headers"], (b"content-length", str(len(body)).encode())]
    return TooLarge() if len(body) > most else BytesIO(body)
