"""What the REST API refuses, and how it says so: problem documents (RFC 9457), for whatever goes wrong."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.signals import got_request_exception
from django.db import DataError, InterfaceError, OperationalError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils.encoding import escape_uri_path
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, serializers
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from shop.messaging.outcomes import in_a_word

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPES = (
    "tag:shop.example,2026:"  # names of our own problems; all others are "about:blank", told by their status
)
MOST_ERRORS = 100  # of one document: a body of 1,000 bad lines is answered shortly
LONGEST = 300  # characters of any text that may repeat what was sent
RETRY_AFTER = 5  # s, when the database is away


class Problem(exceptions.APIException):
    """A refusal with a name of its own."""

    name = ""


class KeyReused(Problem):
    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    name = "idempotency-key-reused"
    default_detail = "This Idempotency-Key belongs to another request: use a new key for a new order."


class TooLateToCancel(Problem):
    status_code = HTTPStatus.CONFLICT
    name = "too-late-to-cancel"


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
    """What was sent may hold half a character, which no answer can carry, or be very long."""
    text = str(text).encode("utf-8", "replace").decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


# --- Parts of DRF, where they would not refuse, or not by name ------------------------------------------------------


class JsonBody(JSONParser):
    """A body nested a thousand deep is malformed, not a fault of ours. Too large a one is refused before it is read."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("The body is nested too deeply.") from None
        except exceptions.ParseError as error:
            cause = error.__context__
            where = f": {cause}" if isinstance(cause, json.JSONDecodeError) else ""
            raise exceptions.ParseError(f"The body is not JSON in UTF-8{where}.") from None


class Body(serializers.Serializer):
    """A JSON object without fields that nobody would read: a misspelled one is refused by its name."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        errors: dict[str, Any] = {name: ["There is no such field."] for name in unknown[:MOST_ERRORS]}
        try:
            value = super().to_internal_value(data)
        except exceptions.ValidationError as error:
            raise exceptions.ValidationError({**error.detail, **errors}) from None  # type: ignore[dict-item]
        if errors:
            raise exceptions.ValidationError(errors)
        return value


class Pages(CursorPagination):
    """Pages that don't shift while rows are added; their size is bounded."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    page_size_query_description = f"How many at once, 1 to {max_page_size}; {page_size} if not given."
    cursor_query_description = "Where the page begins: follow `next` and `previous` instead of making one up."

    def paginate_queryset(
        self, queryset: QuerySet | Sequence, request: Request, view: Any = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, DjangoValidationError, DataError):
            if self.cursor_query_param not in request.query_params:
                raise
            # A made-up position.
            raise exceptions.ValidationError({"cursor": ["No such page."]}) from None

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            return super().decode_cursor(request)
        except exceptions.NotFound:
            raise exceptions.ValidationError({"cursor": ["No such page."]}) from None

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("page_size", str(self.page_size))
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= self.max_page_size):
            raise exceptions.ValidationError({"page_size": [f"A number from 1 to {self.max_page_size}."]})
        return int(asked[:9])


# --- For the OpenAPI page -------------------------------------------------------------------------------------------


class FieldErrorSerializer(serializers.Serializer):
    field = serializers.CharField(help_text="Such as `lines.0.sku`, `Idempotency-Key`, or `body`.")
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    type = serializers.CharField(help_text="`about:blank`, or the name of a problem of the shop's own.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    errors = FieldErrorSerializer(  # type: ignore[assignment]  # DRF takes it out of the class
        many=True, required=False, help_text="Of a 400: what is wrong with which field."
    )


def documented(*statuses: int) -> dict[tuple[int, str], type[ProblemSerializer]]:
    """The problems an address may answer with, for ``extend_schema(responses=...)``."""
    return {(status, MEDIA_TYPE): ProblemSerializer for status in (*statuses, 406, 503)}


# --- Outside DRF ----------------------------------------------------------------------------------------------------


def problem_page(request: HttpRequest, status: HTTPStatus, detail: str) -> HttpResponse:
    body = json.dumps(document(status, detail, request.path))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponse:
    """The last of the API's addresses: whatever is not one."""
    hint = "" if request.path.endswith("/") else " Addresses end with a slash."
    return problem_page(request, HTTPStatus.NOT_FOUND, f"There is nothing at this address.{hint}")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler400``: what a middleware refuses, such as an unknown host."""
    if not request.path.startswith("/api/"):
        return defaults.bad_request(request, exception)
    unknown_host = isinstance(exception, DisallowedHost)
    detail = "This host name is not served." if unknown_host else "The request can't be understood."
    return problem_page(request, HTTPStatus.BAD_REQUEST, detail)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``: what fails outside the API's own views."""
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    detail = "Something went wrong here. It has been noted."
    return problem_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, detail)
