"""Trace ids are always passed on; spans are recorded only when a collector is configured."""

import grpc
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from mesh.aio.context import TraceContext
from mesh.rpc.headers import child_of, new_span_id


class Tracing:
    """Start a span for each call; without a tracer only its ids are made."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer

    def serve(self, method: str, traceparent: str | None) -> tuple[TraceContext, Span | None]:
        """Begin the span of a call that came in."""
        if self._tracer is None:
            return child_of(traceparent), None
        parent = TraceContext.parse(traceparent) if traceparent else None
        return self._start(method, parent, SpanKind.SERVER)

    def call(self, method: str, current: TraceContext) -> tuple[TraceContext, Span | None]:
        """Begin the span of a call that goes out."""
        if self._tracer is None:
            return TraceContext(current.trace_id, new_span_id(), current.sampled), None
        return self._start(method, current, SpanKind.CLIENT)

    def _start(
        self, method: str, parent: TraceContext | None, kind: SpanKind
    ) -> tuple[TraceContext, Span | None]:
        assert self._tracer is not None
        context = None
        if parent is not None and int(parent.trace_id, 16):
            remote = trace.SpanContext(
                int(parent.trace_id, 16),
                int(parent.span_id, 16),
                is_remote=kind is SpanKind.SERVER,
                trace_flags=trace.TraceFlags(int(parent.sampled)),
            )
            context = trace.set_span_in_context(trace.NonRecordingSpan(remote))
        span = self._tracer.start_span(
            method.removeprefix("/"), context, kind, {"rpc.system.name": "grpc"}
        )
        made = span.get_span_context()
        ours = TraceContext(
            f"{made.trace_id:032x}", f"{made.span_id:016x}", bool(made.trace_flags.sampled)
        )
        return ours, span


def end(span: Span | None, code: grpc.StatusCode) -> None:
    """End a span, if there is one, with the code of its call."""
    if span is None:
        return
    span.set_attribute("rpc.response.status_code", code.name)
    if code is not grpc.StatusCode.OK:
        span.set_status(StatusCode.ERROR, code.name)
    span.end()
