"""One deadline for all hops."""

import asyncio
import itertools

import pytest
from echo import Echo, facts, mount
from echo_stubs import pb, rpc

from mesh.aio import rc, use_context, within
from mesh.aio.context import RequestContext
from mesh.errors import DeadlineExceeded
from mesh.rpc.deadline import SHAVED_SECONDS
from mesh.testing import LocalMesh


async def test_a_deadline_propagates_and_shrinks_over_three_hops(mesh: LocalMesh) -> None:
    seen: list[float] = []

    async def forward(stub, request):
        seen.append(facts().remaining_seconds)
        return await stub.Public(request)

    await mesh.serve("c", [mount(Echo())])
    c = rpc.EchoServiceStub(await mesh.connect("c"))
    await mesh.serve("b", [mount(Echo(lambda request: forward(c, request)))])
    b = rpc.EchoServiceStub(await mesh.connect("b"))
    await mesh.serve("a", [mount(Echo(lambda request: forward(b, request)))])
    a = rpc.EchoServiceStub(await mesh.connect("a"))

    async with within(2.0):
        answer = await a.Public(pb.EchoRequest())

    given = [2.0, *seen, answer.remaining_seconds]
    assert len(given) == 4
    for before, after in itertools.pairwise(given):
        assert 0 < after <= before - SHAVED_SECONDS


async def test_a_call_without_a_deadline_gets_the_policys(mesh: LocalMesh) -> None:
    await mesh.serve("a", [mount(Echo())])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    assert 4.5 < (await stub.Public(pb.EchoRequest())).remaining_seconds <= 5.0


async def test_the_policy_caps_a_longer_deadline(mesh: LocalMesh) -> None:
    await mesh.serve("a", [mount(Echo())])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    async with within(60):
        answer = await stub.Brief(pb.EchoRequest(), timeout=30)
    assert 0 < answer.remaining_seconds <= 0.1


async def test_a_scrap_of_time_is_refused_before_the_handler_runs(mesh: LocalMesh) -> None:
    echo = Echo()
    await mesh.serve("a", [mount(echo)])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    await stub.Public(pb.EchoRequest())  # the connection is there now
    with pytest.raises(DeadlineExceeded):
        await stub.Public(pb.EchoRequest(), timeout=SHAVED_SECONDS)
    assert len(echo.calls) == 1


async def test_the_handler_is_cancelled_at_the_deadline_and_the_answer_says_so(
    mesh: LocalMesh,
) -> None:
    cancelled = asyncio.Event()

    async def forever(_):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    await mesh.serve("a", [mount(Echo(forever))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with pytest.raises(DeadlineExceeded) as caught:
        await stub.Public(pb.EchoRequest(), timeout=0.1)
    # Our server's own words, so they arrived before the client gave up by itself.
    assert caught.value.message == "the time given ran out"
    assert cancelled.is_set()


async def test_a_stream_is_cancelled_at_the_deadline(mesh: LocalMesh) -> None:
    async def forever(_):
        await asyncio.Event().wait()

    await mesh.serve("a", [mount(Echo(forever))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with pytest.raises(DeadlineExceeded):
        async with stub.Count(pb.EchoRequest(guest_count=1), timeout=0.1) as answers:
            await anext(answers)


async def test_nothing_is_sent_when_no_time_is_left(mesh: LocalMesh) -> None:
    echo = Echo()
    await mesh.serve("a", [mount(echo)])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    spent = RequestContext(deadline=asyncio.get_running_loop().time())
    with use_context(spent), pytest.raises(DeadlineExceeded):
        await stub.Public(pb.EchoRequest())
    assert echo.calls == []


async def test_ids_are_kept_over_hops_and_made_where_there_are_none(mesh: LocalMesh) -> None:
    seen = []

    async def forward(request):
        seen.append(rc())
        return await b.Public(request)

    await mesh.serve("b", [mount(Echo())])
    b = rpc.EchoServiceStub(await mesh.connect("b"))
    await mesh.serve("a", [mount(Echo(forward))])
    a = rpc.EchoServiceStub(await mesh.connect("a"))

    made = await a.Public(pb.EchoRequest())
    assert made.request_id == seen[0].request_id != ""
    assert made.trace_id == seen[0].trace.trace_id

    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    given = await a.Public(
        pb.EchoRequest(), metadata=(("x-request-id", "r-1"), ("traceparent", parent))
    )
    assert given.request_id == "r-1"
    assert given.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert seen[1].trace.sampled
