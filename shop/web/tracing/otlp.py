"""Spans by OTLP over HTTP, by OpenTelemetry's own exporter. The only module that needs the extra: it is imported only
where traces are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from shop.web.tracing.spans import Span

SCOPE = InstrumentationScope("shop")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Collector:
    """Who takes the spans: OTEL_EXPORTER_OTLP_ENDPOINT, and what else OpenTelemetry reads of the environment."""

    def __init__(self) -> None:
        self._exporter = OTLPSpanExporter()

    def take(self, spans: Sequence[Span]) -> bool:
        """Whether it has them all. Tries for 10 s (OTEL_EXPORTER_OTLP_TIMEOUT)."""
        return self._exporter.export([_readable(span) for span in spans]) is SpanExportResult.SUCCESS


def _readable(span: Span) -> ReadableSpan:
    return ReadableSpan(
        span.name,
        context=_context(span.trace, span.id),
        parent=_context(span.trace, span.parent) if span.parent else None,
        resource=_resource(span.service),
        attributes=dict(span.attributes),
        events=[Event("sent", timestamp=_ns(span.sent))] if span.sent else (),
        kind=SpanKind.CONSUMER if span.sent else SpanKind.INTERNAL,
        instrumentation_scope=SCOPE,
        status=Status(StatusCode.ERROR, span.trouble) if span.trouble else Status(),
        start_time=_ns(span.began),
        end_time=_ns(span.ended),
    )


def _context(trace: int, id: int) -> SpanContext:
    return SpanContext(trace, id, is_remote=False, trace_flags=SAMPLED)


@cache
def _resource(service: str) -> Resource:
    return Resource.create({"service.name": service, "service.namespace": "shop"})


def _ns(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
