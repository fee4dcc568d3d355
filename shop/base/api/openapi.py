"""What the OpenAPI page says of problem documents."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from shop.base.api.problems import MEDIA_TYPE


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


TOO_LONG = OpenApiResponse(description="The address or the headers are too long to be read: in plain text.")


def documented(*statuses: int) -> dict[Any, Any]:
    """The problems an address may answer with, for ``extend_schema(responses=...)``."""
    problems = {(status, MEDIA_TYPE): ProblemSerializer for status in (*statuses, 406, 503)}
    return {**problems, 414: TOO_LONG, 431: TOO_LONG}
