"""A cancel reaches the handler and nobody else."""

import asyncio

import pytest
from echo import Echo, mount, say
from echo_stubs import pb, rpc

from mesh.aio import Group
from mesh.testing import LocalMesh


class Gate:
    """A handler that says when it is running, and when it was cancelled."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, request):
        if request.text != "wait":
            return await say(request)
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


async def test_a_cancelled_client_cancels_the_handler_and_the_next_gets_its_own_answer(
    mesh: LocalMesh,
) -> None:
    gate = Gate()
    await mesh.serve("a", [mount(Echo(gate))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))

    call = asyncio.create_task(stub.Public(pb.EchoRequest(text="wait")))
    await gate.entered.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await gate.cancelled.wait()
    assert (await stub.Public(pb.EchoRequest(text="next"))).text == "next"


async def test_a_cancel_goes_down_over_hops(mesh: LocalMesh) -> None:
    gate = Gate()
    await mesh.serve("b", [mount(Echo(gate))])
    b = rpc.EchoServiceStub(await mesh.connect("b"))
    await mesh.serve("a", [mount(Echo(b.Public))])
    a = rpc.EchoServiceStub(await mesh.connect("a"))

    call = asyncio.create_task(a.Public(pb.EchoRequest(text="wait")))
    await gate.entered.wait()
    call.cancel()
    await gate.cancelled.wait()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_answers_never_cross_when_calls_are_cancelled_at_any_step(mesh: LocalMesh) -> None:
    await mesh.serve("a", [mount(Echo())])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    answered = cancelled = 0

    async def ask(number: int, steps: int) -> None:
        nonlocal answered, cancelled
        call = asyncio.create_task(stub.Public(pb.EchoRequest(text=str(number))))
        for _ in range(steps):
            await asyncio.sleep(0)
        if number % 2:
            call.cancel()
        try:
            assert (await call).text == str(number)
            answered += 1
        except asyncio.CancelledError:
            cancelled += 1

    async with Group() as group:
        for number in range(200):
            await group.go(ask(number, number // 10))

    assert answered + cancelled == 200
    assert answered >= 100
    assert cancelled > 0
    assert (await stub.Public(pb.EchoRequest(text="last"))).text == "last"


async def test_leaving_a_stream_ends_it_at_the_peer(mesh: LocalMesh) -> None:
    ended = asyncio.Event()

    class Endless(Echo):
        async def Count(self, request, context):  # noqa: N802
            try:
                while True:
                    yield pb.EchoResponse(text="again")
            finally:
                ended.set()

    await mesh.serve("a", [mount(Endless())])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    async with stub.Count(pb.EchoRequest()) as answers:
        assert (await anext(answers)).text == "again"
    await ended.wait()


async def test_a_handler_that_raises_a_cancel_of_its_own_does_not_hang_its_client(
    mesh: LocalMesh,
) -> None:
    async def confused(_):
        inner = asyncio.create_task(asyncio.sleep(3600))
        inner.cancel()
        await inner

    await mesh.serve("a", [mount(Echo(confused))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    async with asyncio.timeout(2):
        with pytest.raises(Exception, match="internal error"):
            await stub.Unsafe(pb.EchoRequest())
