"""Calling peers: balanced, retried where the contract allows it, left alone when they are sick."""

import asyncio
from collections import Counter

import pytest
from echo import Echo, facts, mount, say
from echo_stubs import pb, rpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY

from mesh.errors import Conflict, Unavailable
from mesh.rpc.client import ClientSettings, connect, target_of
from mesh.rpc.server import Server
from mesh.testing import LocalMesh


def named(name: str) -> Echo:
    async def behaviour(_):
        return facts(name)

    return Echo(behaviour)


async def spread(stub, calls: int) -> Counter[str]:
    return Counter([(await stub.Public(pb.EchoRequest())).text for _ in range(calls)])


async def until_both_answer(stub) -> None:
    """Call until both backends are connected and found healthy."""
    async with asyncio.timeout(5):
        while len(await spread(stub, 2)) < 2:
            pass


async def test_calls_are_spread_over_the_backends(mesh: LocalMesh) -> None:
    await mesh.serve("a", [mount(named("one"))])
    await mesh.serve("a", [mount(named("two"))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    await until_both_answer(stub)
    assert await spread(stub, 40) == {"one": 20, "two": 20}


async def test_a_backend_that_ends_is_left_without_one_failed_call(mesh: LocalMesh) -> None:
    first = await mesh.serve("a", [mount(named("one"))])
    await mesh.serve("a", [mount(named("two"))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    await until_both_answer(stub)
    ending = asyncio.create_task(first.drain())
    while not ending.done():
        await stub.Public(pb.EchoRequest())
    await ending
    assert await spread(stub, 10) == {"two": 10}


async def test_only_what_the_policy_calls_safe_is_tried_again(mesh: LocalMesh) -> None:
    async def away(_):
        raise Unavailable("away")

    echo = Echo(away)
    await mesh.serve("a", [mount(echo)])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    for method in (stub.Public, stub.Unsafe):
        with pytest.raises(Unavailable, match="away"):
            await method(pb.EchoRequest())
    assert Counter(echo.calls) == {"Public": 3, "Unsafe": 1}


async def test_a_considered_answer_is_not_asked_for_again(mesh: LocalMesh) -> None:
    async def taken(_):
        raise Conflict("taken")

    echo = Echo(taken)
    await mesh.serve("a", [mount(echo)])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with pytest.raises(Conflict):
        await stub.Public(pb.EchoRequest())
    assert echo.calls == ["Public"]


async def test_retries_stop_when_most_calls_fail(mesh: LocalMesh) -> None:
    async def away(_):
        raise Unavailable("away")

    echo = Echo(away)
    await mesh.serve("a", [mount(echo)])
    settings = ClientSettings(breaker_failures=1000)
    stub = rpc.EchoServiceStub(await mesh.connect("a", settings=settings))
    for _ in range(20):
        with pytest.raises(Unavailable):
            await stub.Public(pb.EchoRequest())
    assert 20 < len(echo.calls) <= 24


async def test_a_sick_peer_is_left_alone(mesh: LocalMesh) -> None:
    async def broken(_):
        raise ValueError

    echo = Echo(broken)
    await mesh.serve("a", [mount(echo)])
    settings = ClientSettings(breaker_failures=3)
    stub = rpc.EchoServiceStub(await mesh.connect("a", settings=settings))
    for _ in range(3):
        with pytest.raises(Exception, match="internal error"):
            await stub.Unsafe(pb.EchoRequest())
    with pytest.raises(Unavailable) as caught:
        await stub.Unsafe(pb.EchoRequest())
    assert caught.value.reason == "CIRCUIT_OPEN"
    assert len(echo.calls) == 3


async def test_a_channel_closed_under_a_call_is_no_cancel(mesh: LocalMesh) -> None:
    entered = asyncio.Event()

    async def forever(_):
        entered.set()
        await asyncio.Event().wait()

    server = await mesh.serve("a", [mount(Echo(forever))])
    async with connect("a", [server.address], None) as channel:
        call = asyncio.create_task(rpc.EchoServiceStub(channel).Unsafe(pb.EchoRequest()))
        await entered.wait()
    with pytest.raises(Unavailable) as caught:
        await call
    assert caught.value.reason == "CALL_CLOSED"


async def test_both_sides_count_each_call_by_its_code(mesh: LocalMesh) -> None:
    method = "/staymesh.testing.v1.EchoService/Gather"

    def counted() -> list[float]:
        labels = {"method": method, "code": "OK"}
        return [
            REGISTRY.get_sample_value(f"rpc_{side}_handled_total", labels) or 0.0
            for side in ("server", "client")
        ]

    await mesh.serve("a", [mount(Echo())])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    before = counted()

    async def words():
        for word in ("one", "two"):
            yield pb.EchoRequest(text=word)

    assert (await stub.Gather(words())).text == "one two"
    assert counted() == [count + 1 for count in before]


async def test_streams_go_both_ways(mesh: LocalMesh) -> None:
    await mesh.serve("a", [mount(Echo(say))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    async with stub.Count(pb.EchoRequest(guest_count=3)) as answers:
        assert [answer.text async for answer in answers] == ["0", "1", "2"]

    asked: asyncio.Queue[str] = asyncio.Queue()

    async def questions():
        while (word := await asked.get()) != "":
            yield pb.EchoRequest(text=word)

    with mesh.signed_in("usr_1"):
        async with stub.Chat(questions()) as answers:
            for word in ("ping", "pong"):
                asked.put_nowait(word)
                assert (await anext(answers)).text == word
            asked.put_nowait("")
            with pytest.raises(StopAsyncIteration):
                await anext(answers)


async def test_health_names_each_service(mesh: LocalMesh) -> None:
    server: Server = await mesh.serve("a", [mount(Echo())])
    async with connect("a", [server.address], None) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", "staymesh.testing.v1.EchoService"):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize(
    ("addresses", "target"),
    [
        (["127.0.0.1:1"], "ipv4:127.0.0.1:1"),
        (["127.0.0.1:1", "10.0.0.2:2"], "ipv4:127.0.0.1:1,10.0.0.2:2"),
        (["[::1]:1"], "ipv6:[::1]:1"),
        (["booking.internal:50051"], "dns:///booking.internal:50051"),
    ],
)
def test_a_list_of_addresses_is_a_target(addresses: list[str], target: str) -> None:
    assert target_of(addresses) == target


@pytest.mark.parametrize(
    "addresses", [[], ["booking:1", "booking:2"], ["127.0.0.1:1", "[::1]:1"], ["nowhere"]]
)
def test_a_list_that_cannot_be_balanced_is_refused(addresses: list[str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        target_of(addresses)
