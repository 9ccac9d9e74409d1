"""With a tracer, one trace over all hops."""

import itertools

import pytest
from echo import Echo, mount
from echo_stubs import pb, rpc
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from mesh.errors import Conflict
from mesh.rpc.tracing import Tracing
from mesh.testing import LocalMesh


async def test_the_spans_of_two_hops_are_one_chain() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))

    async def taken(_):
        raise Conflict("taken")

    async with LocalMesh(tracing=Tracing(provider.get_tracer("test"))) as mesh:
        await mesh.serve("b", [mount(Echo(taken))])
        b = rpc.EchoServiceStub(await mesh.connect("b"))
        await mesh.serve("a", [mount(Echo(b.Public))])
        a = rpc.EchoServiceStub(await mesh.connect("a"))
        with pytest.raises(Conflict):
            async with a.Count(pb.EchoRequest(guest_count=1)) as answers:
                await anext(answers)
    provider.shutdown()

    spans = {(s.kind, s.name.rpartition("/")[2]): s for s in kept.get_finished_spans()}
    chain: list[ReadableSpan] = [
        spans[SpanKind.CLIENT, "Count"],
        spans[SpanKind.SERVER, "Count"],
        spans[SpanKind.CLIENT, "Public"],
        spans[SpanKind.SERVER, "Public"],
    ]
    assert chain[0].parent is None
    for parent, child in itertools.pairwise(chain):
        assert child.parent is not None
        assert child.parent.span_id == parent.context.span_id
    assert len({span.context.trace_id for span in chain}) == 1
    assert {span.attributes["rpc.response.status_code"] for span in chain} == {"ABORTED"}
    assert {span.status.status_code for span in chain} == {StatusCode.ERROR}
