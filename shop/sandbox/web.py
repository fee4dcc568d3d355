"""The HTTP side both providers share: routes, bounded JSON bodies, errors that name what is wrong."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec

MAX_BODY = 64 * 1024
MAX_PAGE = 1000
Body = TypeVar("Body")
StartResponse = Callable[[str, list[tuple[str, str]]], object]
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


@dataclass(frozen=True)
class Request:
    environ: Mapping[str, Any]
    query: dict[str, list[str]]

    def json(self, kind: type[Body]) -> Body:
        length = self.environ.get("CONTENT_LENGTH") or "0"
        if int(length) > MAX_BODY:
            raise Problem(413, "too_large", f"the body must be at most {MAX_BODY} bytes")
        data = self.environ["wsgi.input"].read(MAX_BODY + 1)  # chunked bodies announce no length
        if len(data) > MAX_BODY:
            raise Problem(413, "too_large", f"the body must be at most {MAX_BODY} bytes")
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Problem(400, "invalid_request", f"invalid body: {error}") from None

    def idempotency_key(self) -> str:
        key = str(self.environ.get("HTTP_IDEMPOTENCY_KEY", ""))
        if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
            raise Problem(400, "invalid_request", "Idempotency-Key must be 1 to 255 visible ASCII characters")
        return key

    def number(self, name: str, default: int, most: int) -> int:
        value = self.query.get(name, [str(default)])[0]
        if not re.fullmatch(r"[0-9]{1,18}", value) or int(value) > most:
            raise Problem(400, "invalid_request", f"{name} must be a whole number from 0 to {most}")
        return int(value)


Handler = Callable[[Request], Answer]


class Site:
    """The WSGI application. A path that is known with another method answers 405."""

    def __init__(self, routes: Mapping[tuple[str, str], Handler]) -> None:
        self._routes = routes
        self._paths = {path for _, path in routes}

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._serve(environ)
        except Problem as problem:
            answer = problem.answer()
        except Exception:
            log.exception("A request failed")
            answer = Problem(500, "internal", "the provider failed; try again with the same key").answer()
        if answer.lost:
            # The server takes this for a client that went away and closes the connection without a word.
            raise ConnectionResetError(errno.ECONNRESET, "the answer is lost, as asked for")
        data = msgspec.json.encode(answer.body)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [data]

    def _serve(self, environ: Mapping[str, Any]) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        handler = self._routes.get((method, path))
        if handler is None:
            if path in self._paths:
                raise Problem(405, "method_not_allowed", f"{path} does not take {method}")
            raise Problem(404, "not_found", "there is nothing at this path")
        return handler(Request(environ, parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)))
