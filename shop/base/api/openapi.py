"""What the OpenAPI page says of lists' filters and of problem documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema_field
from rest_framework import serializers

from shop.base.api.problems import MEDIA_TYPE, document

Responses = dict[Any, OpenApiResponse]

# What is told of each status wherever nothing else is: (what it means here, an example of `detail`).
TOLD = {
    400: ("Something in the request is not as it should be: `errors` says what, each by its name.", ""),
    401: ("The token is missing, unknown or expired.", "The token has expired: log in again."),
    404: ("There is no such thing, or it is not yours.", "Not found."),
    409: ("It can't be done as things stand: `detail` says why.", ""),
    422: ("The request contradicts an earlier one.", ""),
    406: ("The answer can't be sent in what `Accept` wants.", "Could not satisfy the request Accept header."),
    413: ("The body is too large.", "The body of the request is too large."),
    415: (
        "The body is not JSON in UTF-8, or it is encoded (`Content-Encoding`).",
        'Unsupported media type "text/plain" in request.',
    ),
    429: ("Too many requests: wait as long as `Retry-After` says.", "Request was throttled."),
    503: (
        "The shop can't do it just now: send it again after the seconds that `Retry-After` says.",
        "The shop can't reach its database just now. Nothing was changed, or a repetition is recognised.",
    ),
}
TOO_LONG = OpenApiResponse(description="The address or the headers are too long to be read: in plain text.")
UNKNOWN = [{"field": "colour", "detail": "There is no such query parameter here."}]


def published(filter: Any, told: str, **schema: Any) -> Any:
    """A filter of a list, with what its value must be like."""
    return extend_schema_field({"type": "string", "description": told, **schema})(filter)


class FieldErrorSerializer(serializers.Serializer):
    """What is wrong with which field."""

    field = serializers.CharField(help_text="Such as `lines.0.sku`, `Idempotency-Key`, or `body`.")
    detail = serializers.CharField(help_text="For people.")


class ProblemSerializer(serializers.Serializer):
    """Why the request was refused (RFC 9457)."""

    type = serializers.CharField(help_text="`about:blank`, or the name of a problem of the shop's own.")
    title = serializers.CharField(help_text="The name for people.")
    status = serializers.IntegerField(help_text="That of the answer.")
    detail = serializers.CharField(help_text="What is wrong, and what to do.")
    instance = serializers.CharField(help_text="The address that was asked for.")
    errors = FieldErrorSerializer(  # type: ignore[assignment]  # DRF takes it out of the class
        many=True, required=False, help_text="Of a 400: what is wrong with which field."
    )


def documented(*statuses: int, at: str = "/api/v1/orders/", told: dict[int, str] | None = None) -> Responses:
    """The problems an address may answer with, for ``extend_schema(responses=...)``. ``at``: an address of the kind.
    ``told``: what a status means at this one, with an example of its own.
    """
    own = {
        (status, MEDIA_TYPE): OpenApiResponse(ProblemSerializer, text)
        for status, text in (told or {}).items()
    }
    problems = {
        (status, MEDIA_TYPE): _response(status, at) for status in sorted({400, 406, 503, *statuses})
    } | own
    return {**problems, 414: TOO_LONG, 431: TOO_LONG}


def problem(
    status: int,
    detail: str,
    at: str,
    name: str = "",
    errors: list[dict[str, str]] | None = None,
    called: str = "",
) -> OpenApiExample:
    """An example, with a name for people; of fields that are wrong, if there are ``errors``."""
    if errors:
        name, detail = (
            "invalid-request",
            f"Not as it should be: {', '.join(error['field'] for error in errors)}",
        )
    value = document(HTTPStatus(status), detail, at, name, errors)
    called = called or name or HTTPStatus(status).phrase
    return OpenApiExample(
        called, value, response_only=True, status_codes=[str(status)], media_type=MEDIA_TYPE
    )


def _response(status: int, at: str) -> OpenApiResponse:
    told, detail = TOLD.get(status, (HTTPStatus(status).phrase, HTTPStatus(status).description))
    errors = UNKNOWN if status == HTTPStatus.BAD_REQUEST else None
    examples = (
        [problem(status, detail, at, errors=errors)] if detail or errors else []
    )  # else the address has its own
    return OpenApiResponse(ProblemSerializer, told, examples)
