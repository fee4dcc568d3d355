"""What the REST API refuses, and how it says so: problem documents (RFC 9457), for whatever goes wrong."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.utils.encoding import escape_uri_path
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from shop.base.cards import without_card_numbers
from shop.messaging.outcomes import in_a_word

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPES = (
    "tag:shop.example,2026:"  # names of our own problems; all others are "about:blank", told by their status
)
MOST_ERRORS = 100  # of one document: a body of 1,000 bad lines is answered shortly
LONGEST = 300  # characters of any text that may repeat what was sent
WIDEST = 60  # characters of a card's number, with all that may stand between its digits
UNKNOWN = "No token was sent: log in, and send it as `Authorization: Token …`."
RETRY_AFTER = 5  # s, when the database is away


class Problem(exceptions.APIException):
    """A refusal with a name of its own."""

    name = ""


class TooLarge(Problem):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body of the request is too large."


class DatabaseAway(Problem):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = (
        "The shop can't reach its database just now. Nothing was changed, or a repetition is recognised."
    )
    wait = RETRY_AFTER


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: no exception leaves the API as a traceback or as HTML."""
    request: Request = context["request"]
    set_rollback()
    refusal = _as_refusal(error, request)
    response = Response(_document(refusal, request.path), status=refusal.status_code, content_type=MEDIA_TYPE)
    if header := getattr(refusal, "auth_header", None):
        response["WWW-Authenticate"] = header
    if (wait := getattr(refusal, "wait", None)) is not None:
        response["Retry-After"] = str(max(1, int(wait)))
    # Whatever the address can show otherwise (a page, YAML): a problem is JSON.
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    return response


def _as_refusal(error: Exception, request: Request) -> exceptions.APIException:
    match error:
        case exceptions.NotAuthenticated():
            error.detail = exceptions.ErrorDetail(UNKNOWN, code=error.default_code)
            return error
        case exceptions.APIException():
            return error
        case Http404():
            return exceptions.NotFound()
        case DjangoPermissionDenied():
            return exceptions.PermissionDenied()
        case RequestDataTooBig():
            return TooLarge()
        case SuspiciousOperation() | UnreadablePostError():
            return exceptions.ParseError()
        case OperationalError() | InterfaceError():
            logger.warning("%s %s: the database is away: %s", request.method, request.path, in_a_word(error))
            return DatabaseAway()
    # Without the error's further lines: PostgreSQL repeats people's data there.
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s %s failed: %s\n%s", request.method, request.path, in_a_word(error), frames)
    got_request_exception.send(sender=None, request=request)
    return exceptions.APIException("Something went wrong here. It has been noted.")


def _document(refusal: exceptions.APIException, path: str) -> dict[str, Any]:
    status = HTTPStatus(refusal.status_code)
    if isinstance(refusal, exceptions.ValidationError):
        errors = [
            {"field": _clean(field, 100), "detail": _clean(text)}
            for (field, text), _ in zip(_flatten(refusal.detail), range(MOST_ERRORS), strict=False)
        ]
        fields = ", ".join(dict.fromkeys(error["field"] for error in errors))
        return document(status, f"Not as it should be: {fields}", path, name="invalid-request", errors=errors)
    detail = refusal.detail if isinstance(refusal.detail, str) else status.phrase
    return document(status, detail, path, name=getattr(refusal, "name", ""))


def document(
    status: HTTPStatus, detail: str, path: str, name: str = "", errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """``name``: if it is a problem of our own. ``errors``: ``field`` and ``detail`` of each, if fields are wrong."""
    problem = {
        "type": f"{TYPES}{name}" if name else "about:blank",
        "title": name.replace("-", " ").capitalize() if name else status.phrase,
        "status": int(status),
        "detail": _clean(detail),
        "instance": escape_uri_path(path),
    }
    return problem | ({"errors": errors} if errors is not None else {})


def _flatten(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(field, text) for each error; a field inside another is written with dots, as in ``lines.0.sku``."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            own = key == api_settings.NON_FIELD_ERRORS_KEY
            yield from _flatten(inner, path if own else f"{path}.{key}" if path else str(key))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _flatten(inner, f"{path}.{index}" if path and nested else path)
    else:
        yield path or "body", str(detail)


def _clean(text: str, longest: int = LONGEST) -> str:
    """What was sent may hold half a character, which no answer can carry, a card's number, or be very long."""
    text = str(text).encode("utf-8", "replace").decode()[: longest + WIDEST]
    text = without_card_numbers(text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
