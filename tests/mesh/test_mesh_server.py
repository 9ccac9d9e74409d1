"""A server starts with whole policies only, and ends in order."""

import asyncio

import grpc
import pytest
from echo import Echo, MemoryStore, mount, say
from echo_stubs import SERVICE, pb, rpc
from staymesh.booking.v1 import booking_pb2

from mesh.errors import Unavailable
from mesh.rpc.policy import PolicyError
from mesh.rpc.server import Mount, ServerSettings
from mesh.testing import LocalMesh


class Bare(rpc.BareServiceServicer):
    pass


async def test_a_method_without_a_policy_does_not_start(mesh: LocalMesh) -> None:
    bare = Mount(Bare(), rpc.add_BareServiceServicer_to_server, "staymesh.testing.v1.BareService")
    with pytest.raises(PolicyError, match=r"BareService\.Bare: no policy"):
        await mesh.serve("a", [mount(Echo()), bare])


async def test_keys_without_a_store_do_not_start(mesh: LocalMesh) -> None:
    without = Mount(Echo(), rpc.add_EchoServiceServicer_to_server, SERVICE)
    with pytest.raises(PolicyError, match="store"):
        await mesh.serve("a", [without])


async def test_a_stream_that_cannot_be_cancelled_anywhere_does_not_start(mesh: LocalMesh) -> None:
    class Writing(Echo):
        async def Count(self, request, context):  # noqa: N802
            await context.write(pb.EchoResponse())

    with pytest.raises(PolicyError, match="generator"):
        await mesh.serve("a", [mount(Writing())])


async def test_a_servicer_under_the_wrong_name_does_not_start(mesh: LocalMesh) -> None:
    add = rpc.add_EchoServiceServicer_to_server
    booking = booking_pb2.DESCRIPTOR.services_by_name["BookingService"].full_name
    wrong = Mount(Echo(), add, booking, MemoryStore())
    with pytest.raises(PolicyError, match="different methods"):
        await mesh.serve("a", [wrong])


async def test_a_port_that_is_taken_is_said_so(mesh: LocalMesh) -> None:
    server = await mesh.serve("a", [mount(Echo())])
    with pytest.raises(OSError, match="taken"):
        await mesh.serve("a", [mount(Echo())], ServerSettings(listen=server.address))


async def test_processes_share_a_port_when_told_to(mesh: LocalMesh) -> None:
    shared = ServerSettings(listen="127.0.0.1:0", reuse_port=True, lame_duck_seconds=0)
    server = await mesh.serve("a", [mount(Echo())], shared)
    again = ServerSettings(listen=server.address, reuse_port=True, lame_duck_seconds=0)
    assert (await mesh.serve("a", [mount(Echo())], again)).port == server.port


async def test_calls_in_flight_finish_while_new_ones_are_refused(mesh: LocalMesh) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(request):
        entered.set()
        await release.wait()
        return await say(request)

    server = await mesh.serve("a", [mount(Echo(slow))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    call = asyncio.create_task(stub.Unsafe(pb.EchoRequest(text="in flight")))
    await entered.wait()
    draining = asyncio.create_task(server.drain())
    async with grpc.aio.insecure_channel(server.address) as channel, asyncio.timeout(5):
        refused = False
        while not refused:
            try:
                await channel.unary_unary(f"/{SERVICE}/Brief")(b"", timeout=0.2)
            except grpc.aio.AioRpcError as error:
                refused = error.code() is grpc.StatusCode.UNAVAILABLE
    assert not draining.done()
    release.set()
    assert (await call).text == "in flight"
    await draining


async def test_a_call_that_outlasts_the_grace_is_cancelled(mesh: LocalMesh) -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def forever(_):
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    settings = ServerSettings(listen="127.0.0.1:0", lame_duck_seconds=0, grace_seconds=0.05)
    server = await mesh.serve("a", [mount(Echo(forever))], settings)
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    call = asyncio.create_task(stub.Unsafe(pb.EchoRequest()))
    await entered.wait()
    await server.drain()
    with pytest.raises(Unavailable):
        await call
    await cancelled.wait()
