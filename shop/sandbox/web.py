"""The HTTP side both providers share: routes, bounded JSON bodies, errors that name what is wrong."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from aiohttp import web

MAX_BODY = 64 * 1024
MAX_PAGE = 1000
Body = TypeVar("Body")
log = logging.getLogger(__name__)


class Problem(Exception):
    """The request can't be served; the client is told why."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message

    def answer(self) -> Answer:
        return Answer(self.status, {"error": {"type": self.kind, "message": self.message}})


@dataclass(frozen=True)
class Answer:
    status: int
    body: Mapping[str, object]
    lost: bool = False  # the connection is dropped instead of answering


class Request:
    def __init__(self, request: web.BaseRequest, body: bytes) -> None:
        self._headers, self._query, self._body = request.headers, request.query, body

    def json(self, kind: type[Body]) -> Body:
        try:
            return msgspec.json.decode(self._body, type=kind)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Problem(400, "invalid_request", f"invalid body: {error}") from None

    def idempotency_key(self) -> str:
        key = self._headers.get("Idempotency-Key", "")
        if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
            raise Problem(400, "invalid_request", "Idempotency-Key must be 1 to 255 visible ASCII characters")
        return key

    def number(self, name: str, default: int, most: int) -> int:
        value = self._query.get(name, str(default))
        if not re.fullmatch(r"[0-9]{1,18}", value) or int(value) > most:
            raise Problem(400, "invalid_request", f"{name} must be a whole number from 0 to {most}")
        return int(value)


Handler = Callable[[Request], Awaitable[Answer]]


class Site:
    """Answers aiohttp's requests. A path that is known with another method answers 405."""

    def __init__(self, routes: Mapping[tuple[str, str], Handler]) -> None:
        self._routes = routes
        self._paths = {path for _, path in routes}

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        try:
            answer = await self._serve(request)
        except Problem as problem:
            answer = problem.answer()
        except Exception:
            log.exception("A request failed")
            answer = Problem(500, "internal", "the provider failed; try again with the same key").answer()
        if answer.lost and request.transport:
            request.transport.abort()
        return web.Response(
            status=answer.status,
            body=msgspec.json.encode(answer.body),
            headers={"Content-Type": "application/json"},
        )

    async def _serve(self, request: web.BaseRequest) -> Answer:
        handler = self._routes.get((request.method, request.path))
        if handler is None:
            if request.path in self._paths:
                raise Problem(405, "method_not_allowed", f"{request.path} does not take {request.method}")
            raise Problem(404, "not_found", "there is nothing at this path")
        return await handler(Request(request, await _body(request)))


async def _body(request: web.BaseRequest) -> bytes:
    too_large = Problem(413, "too_large", f"the body must be at most {MAX_BODY} bytes")
    if (request.content_length or 0) > MAX_BODY:
        raise too_large
    try:
        body = await request.read()  # a chunked one announces no length
    except web.HTTPRequestEntityTooLarge:
        raise too_large from None
    if len(body) > MAX_BODY:
        raise too_large
    return body
