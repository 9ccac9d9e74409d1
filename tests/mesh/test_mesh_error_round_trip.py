"""One error shape, unchanged over hops; of an unexpected exception nothing is told."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from echo import Echo, mount
from echo_stubs import SERVICE, pb, rpc
from google.rpc import error_details_pb2, status_pb2

from mesh.errors import Conflict, DataLoss, Internal, Invalid, MeshError, Unavailable
from mesh.rpc.status import DETAILS_KEY
from mesh.testing import LocalMesh


class NightsTaken(Conflict):
    """What a service would define."""

    reason = "NIGHTS_TAKEN"


def raising(error: BaseException):
    async def behaviour(_):
        raise error

    return behaviour


async def raw_call(address: str, method: str, body: bytes) -> grpc.aio.AioRpcError:
    """Call past our own client and return the error as it is on the wire."""
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(f"/{SERVICE}/{method}")(body, timeout=5)
    return caught.value


def everything_said(error: grpc.aio.AioRpcError) -> str:
    return f"{error.details()} {error.debug_error_string()} {error.trailing_metadata()}"


async def test_details_survive_three_hops(mesh: LocalMesh) -> None:
    error = NightsTaken(
        "these nights are taken",
        metadata={"listing": "lst_1"},
        violations=[("stay.checkIn", "taken")],
        retry_after_seconds=1.5,
    )
    await mesh.serve("c", [mount(Echo(raising(error)))])
    c = rpc.EchoServiceStub(await mesh.connect("c"))
    await mesh.serve("b", [mount(Echo(c.Unsafe))])
    b = rpc.EchoServiceStub(await mesh.connect("b"))
    await mesh.serve("a", [mount(Echo(b.Unsafe))])
    a = rpc.EchoServiceStub(await mesh.connect("a"))

    with pytest.raises(Conflict) as caught:
        await a.Unsafe(pb.EchoRequest())

    got = caught.value
    assert (got.reason, got.message) == ("NIGHTS_TAKEN", "these nights are taken")
    assert got.metadata == {"listing": "lst_1"}
    assert got.violations == (("stay.checkIn", "taken"),)
    assert got.retry_after_seconds == 1.5


@pytest.mark.parametrize(
    "error",
    [
        ValueError("secret"),
        RuntimeError("SELECT secret FROM /etc/secret"),
        Internal("secret", metadata={"path": "secret"}),
        DataLoss("secret"),
        ExceptionGroup("secret", [NightsTaken("taken"), ValueError("secret")]),
        TimeoutError("secret"),
        StopAsyncIteration("secret"),
        asyncio.CancelledError("secret"),
    ],
    ids=repr,
)
async def test_no_text_of_an_unexpected_exception_leaves(
    mesh: LocalMesh, error: BaseException
) -> None:
    server = await mesh.serve("a", [mount(Echo(raising(error)))])
    got = await raw_call(server.address, "Public", b"")
    assert got.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS)
    assert got.details() == "internal error"
    assert "secret" not in everything_said(got)


async def test_a_stream_that_breaks_tells_as_little(mesh: LocalMesh) -> None:
    await mesh.serve("a", [mount(Echo(raising(ValueError("secret"))))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with pytest.raises(Internal) as caught:
        async with stub.Count(pb.EchoRequest(guest_count=2)) as answers:
            await anext(answers)
    assert caught.value.message == "internal error"


async def test_a_group_of_known_errors_speaks_by_its_gravest(mesh: LocalMesh) -> None:
    group = ExceptionGroup("", [NightsTaken("taken"), ExceptionGroup("", [Unavailable("away")])])
    await mesh.serve("a", [mount(Echo(raising(group)))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with pytest.raises(Unavailable, match="away"):
        await stub.Unsafe(pb.EchoRequest())


async def test_bytes_that_are_no_request_are_the_callers_fault(mesh: LocalMesh) -> None:
    server = await mesh.serve("a", [mount(Echo())])
    got = await raw_call(server.address, "Public", b"\xff\xff\xff")
    assert got.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "DecodeError" not in everything_said(got)


async def test_an_answer_that_cannot_be_encoded_is_internal(mesh: LocalMesh) -> None:
    async def wrong(_):
        return "not a message"

    server = await mesh.serve("a", [mount(Echo(wrong))])
    got = await raw_call(server.address, "Public", b"")
    assert (got.code(), got.details()) == (grpc.StatusCode.INTERNAL, "internal error")


async def test_violations_name_fields_as_json_does(mesh: LocalMesh) -> None:
    echo = Echo()
    await mesh.serve("a", [mount(echo)])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    long = pb.Inner(place_name="x" * 9)
    bad = pb.EchoRequest(guest_count=-1, many_places=[long], places_by_key={"k": long})
    with pytest.raises(Invalid) as caught:
        await stub.Public(bad)
    fields = {violation.field for violation in caught.value.violations}
    assert fields == {"guestCount", "manyPlaces[0].placeName", 'placesByKey["k"].placeName'}
    assert echo.calls == []


async def test_every_message_of_a_stream_is_validated(mesh: LocalMesh) -> None:
    echo = Echo()
    await mesh.serve("a", [mount(echo)])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))

    async def requests() -> AsyncIterator[object]:
        yield pb.EchoRequest(text="good")
        yield pb.EchoRequest(guest_count=-1)

    with pytest.raises(Invalid):
        await stub.Gather(requests())
    with mesh.signed_in("usr_1"):
        async with stub.Chat(requests()) as answers:
            assert (await anext(answers)).text == "good"
            with pytest.raises(Invalid):
                await anext(answers)
    assert echo.calls == ["Chat"]


async def test_the_wire_form_is_a_status_with_error_info(mesh: LocalMesh) -> None:
    server = await mesh.serve("a", [mount(Echo(raising(NightsTaken("taken"))))])
    got = await raw_call(server.address, "Public", b"")
    trailers = dict(tuple(got.trailing_metadata()))
    status = status_pb2.Status.FromString(trailers[DETAILS_KEY])
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason) == ("staymesh", "NIGHTS_TAKEN")
    assert trailers["x-request-id"]


async def test_a_peer_that_is_not_there_is_unavailable_without_its_address(
    mesh: LocalMesh,
) -> None:
    server = await mesh.serve("a", [mount(Echo())])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    await server.drain()
    with pytest.raises(Unavailable) as caught:
        await stub.Unsafe(pb.EchoRequest())
    assert "127.0.0.1" not in str(caught.value)


async def test_a_method_that_is_not_written_says_so(mesh: LocalMesh) -> None:
    class Nothing(rpc.EchoServiceServicer):
        pass

    server = await mesh.serve("a", [mount(Nothing())])  # type: ignore[arg-type]
    assert (await raw_call(server.address, "Public", b"")).code() is (grpc.StatusCode.UNIMPLEMENTED)
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with pytest.raises(MeshError):
        async with stub.Count(pb.EchoRequest()) as answers:
            await anext(answers)
