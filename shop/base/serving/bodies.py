"""Bodies of requests are read before a thread is asked for: who sends slowly holds up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestAborted, RequestDataTooBig

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

WITHIN = 20.0  # s in which a body must be there


class TooLarge(BytesIO):
    """What stands in for a body that is not read: whoever reads it refuses the request, as Django does."""

    def read(self, *arguments: Any) -> bytes:
        raise RequestDataTooBig("The body is larger than settings.DATA_UPLOAD_MAX_MEMORY_SIZE.")

    readline = read


async def read_body(scope: Scope, receive: Receive) -> BytesIO:
    """The whole body, or at once ``TooLarge``. ``scope`` then tells its length, which one in chunks doesn't bring.

    Raises:
        TimeoutError: it did not come in time.
        RequestAborted: who sent it has gone.
    """
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    announced = next((int(value) for name, value in scope["headers"] if name == b"content-length"), None)
    if announced is not None and announced > most:
        return TooLarge()
    body, more = bytearray(), True
    async with asyncio.timeout(WITHIN):
        while more and len(body) <= most:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            body += message.get("body", b"")
            more = message.get("more_body", False)
    if announced is None and body:
        scope["headers"] = [*scope["headers"], (b"content-length", str(len(body)).encode())]
    return TooLarge() if len(body) > most else BytesIO(body)
