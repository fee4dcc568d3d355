"""The web process: the event loop waits for clients, threads work for them. Why not as Django does it: decision 22."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import cast

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from shop.base.api.problems import MEDIA_TYPE, document
from shop.base.brakes.addresses import peer_of
from shop.base.live import end_streams
from shop.base.requests import HEADER, count, id_in
from shop.base.serving.bodies import Crowded, Receive, Scope, Send, read_body, room
from shop.base.serving.pool import Full, pool

RETRY_AFTER = 2  # s, for who finds the line too long

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes | AsyncIterator[bytes]


class Handler(ASGIHandler):
    """Middleware and views run in a thread of the pool, from the first to the last, as under a WSGI server.

    A view that answers with an asynchronous iterator (``shop.base.live``) holds its thread until then and no longer.
    """

    def __init__(self) -> None:
        self.load_middleware(is_async=False)

    def stop(self) -> None:
        """The process has been asked to end: nobody is waited for who would stay for long."""
        end_streams()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP is served here, not {scope['type']}.")
        try:
            with room.place() as place:
                body = await read_body(scope, receive, place)
                answer = await pool.run(self._answer, scope, body, whose=peer_of(scope.get("client")))
        except RequestAborted:
            return
        except TimeoutError:
            text = "The body of the request did not come in time."
            answer = _refusal(scope, HTTPStatus.REQUEST_TIMEOUT, text)
        except (Full, Crowded):
            text = f"The shop has too much to do just now. Try again in {RETRY_AFTER} s."
            answer = _refusal(scope, HTTPStatus.SERVICE_UNAVAILABLE, text)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        if isinstance(answer.body, bytes):
            await send({"type": "http.response.body", "body": answer.body})
        else:
            await _stream(answer.body, receive, send)

    def _answer(self, scope: Scope, body: BytesIO) -> Answer:
        """In a thread: signals too, by which Django looks after this thread's connections."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, malformed = self.create_request(scope, body)
        response = self.get_response(request) if request else cast("HttpResponse", malformed)
        try:
            content = b"" if scope["method"] == "HEAD" else _body(response)
            return Answer(response.status_code, _headers(response), content)
        finally:
            response.close()


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    cookies = (
        (b"Set-Cookie", cookie.output(header="").strip().encode()) for cookie in response.cookies.values()
    )
    return [*((name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()), *cookies]


def _body(response: HttpResponseBase) -> bytes | AsyncIterator[bytes]:
    """A file is read at once: those there are, are small."""
    if not isinstance(response, StreamingHttpResponse):
        return bytes(cast("HttpResponse", response).content)
    parts = response.streaming_content
    return parts if isinstance(parts, AsyncIterator) else b"".join(parts)


async def _stream(parts: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Until the stream ends or the client has gone."""
    sending = asyncio.create_task(_send_all(parts, send))
    leaving = asyncio.ensure_future(receive())  # after the body it only ever says that the client has gone
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _send_all(parts: AsyncIterator[bytes], send: Send) -> None:
    async with aclosing(cast("AsyncGenerator[bytes, None]", parts)):
        async for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


def _refusal(scope: Scope, status: HTTPStatus, text: str) -> Answer:
    """What is refused before a thread has looked at it."""
    count("", scope["method"], status)
    api = scope["path"].startswith("/api/")
    body = json.dumps(document(status, text, scope["path"])) if api else text
    kind = MEDIA_TYPE if api else "text/plain; charset=utf-8"
    headers = [
        (b"Content-Type", kind.encode()),
        (b"Content-Length", str(len(body.encode())).encode()),
        (b"Cache-Control", b"no-store"),
        (b"X-Content-Type-Options", b"nosniff"),
        (HEADER.encode(), id_in(scope["headers"]).encode()),
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"Retry-After", str(RETRY_AFTER).encode()))
    return Answer(status, headers, body.encode())
