"""One effect for one key, by the contract, whatever the store."""

import asyncio

import grpc
import pytest
from echo import Echo, MemoryStore, facts, mount, say
from echo_stubs import SERVICE, pb, rpc

from mesh.aio import rc
from mesh.errors import Conflict, Invalid, MeshError, Unavailable
from mesh.testing import LocalMesh


class Counting:
    """A handler whose every run is told apart."""

    def __init__(self) -> None:
        self.runs = 0

    async def __call__(self, request):
        self.runs += 1
        return facts(f"run {self.runs}")


def key(value: str) -> tuple[tuple[str, str], ...]:
    return (("idempotency-key", value),)


async def test_a_repeated_call_has_one_effect_and_one_answer(mesh: LocalMesh) -> None:
    work = Counting()
    await mesh.serve("a", [mount(Echo(work))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with mesh.signed_in("usr_1"):
        first = await stub.Keyed(pb.EchoRequest(text="x"), metadata=key("k"))
        again = await stub.Keyed(pb.EchoRequest(text="x"), metadata=key("k"))
        other = await stub.Keyed(pb.EchoRequest(text="x"), metadata=key("k2"))
    assert first == again
    assert (first.text, other.text, work.runs) == ("run 1", "run 2", 2)


async def test_a_replayed_answer_says_so(mesh: LocalMesh) -> None:
    server = await mesh.serve("a", [mount(Echo(Counting()))])
    said = []
    async with grpc.aio.insecure_channel(server.address) as channel:
        method = channel.unary_unary(f"/{SERVICE}/MaybeKeyed")
        for _ in range(2):
            call = method(b"", metadata=key("k"), timeout=5)
            await call
            said.append(dict(tuple(await call.initial_metadata())).get("idempotency-replayed"))
    assert said == [None, "true"]


async def test_a_key_belongs_to_its_caller_and_its_method(mesh: LocalMesh) -> None:
    work = Counting()
    await mesh.serve("a", [mount(Echo(work))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    for user in ("usr_1", "usr_2"):
        with mesh.signed_in(user):
            await stub.Keyed(pb.EchoRequest(), metadata=key("k"))
            await stub.MaybeKeyed(pb.EchoRequest(), metadata=key("k"))
    await stub.MaybeKeyed(pb.EchoRequest(), metadata=key("k"))
    assert work.runs == 5


async def test_another_body_under_the_same_key_is_a_conflict(mesh: LocalMesh) -> None:
    work = Counting()
    await mesh.serve("a", [mount(Echo(work))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with mesh.signed_in("usr_1"):
        await stub.Keyed(pb.EchoRequest(text="x"), metadata=key("k"))
        with pytest.raises(Conflict) as caught:
            await stub.Keyed(pb.EchoRequest(text="y"), metadata=key("k"))
    assert (caught.value.reason, work.runs) == ("IDEMPOTENCY_KEY_REUSED", 1)


async def test_a_call_beside_a_running_one_is_told_to_wait(mesh: LocalMesh) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(request):
        entered.set()
        await release.wait()
        return await say(request)

    await mesh.serve("a", [mount(Echo(slow))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with mesh.signed_in("usr_1"):
        first = asyncio.create_task(stub.Keyed(pb.EchoRequest(), metadata=key("k")))
        await entered.wait()
        with pytest.raises(Conflict) as caught:
            await stub.Keyed(pb.EchoRequest(), metadata=key("k"))
        release.set()
        await first
    assert caught.value.reason == "IDEMPOTENCY_IN_PROGRESS"
    assert caught.value.retry_after_seconds == 30.0


async def test_a_failed_call_can_be_tried_again_and_knows_its_attempt(mesh: LocalMesh) -> None:
    attempts = []

    async def second_time_lucky(request):
        attempts.append(rc().idempotency)
        if len(attempts) == 1:
            raise Unavailable("not now")
        return await say(request)

    await mesh.serve("a", [mount(Echo(second_time_lucky))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with mesh.signed_in("usr_1"):
        with pytest.raises(Unavailable):
            await stub.Keyed(pb.EchoRequest(text="x"), metadata=key("k"))
        await stub.Keyed(pb.EchoRequest(text="x"), metadata=key("k"))
    assert [(a.key, a.attempt) for a in attempts] == [("k", 0), ("k", 1)]
    assert attempts[0].first_seen == attempts[1].first_seen


async def test_a_cancelled_call_gives_its_key_back(mesh: LocalMesh) -> None:
    entered = asyncio.Event()
    given_back = asyncio.Event()

    class Store(MemoryStore):
        async def fail(self, scope, attempt):
            await super().fail(scope, attempt)
            given_back.set()

    async def forever(_):
        entered.set()
        await asyncio.Event().wait()

    echo = Echo(forever)
    await mesh.serve("a", [mount(echo, Store())])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with mesh.signed_in("usr_1"):
        call = asyncio.create_task(stub.Keyed(pb.EchoRequest(), metadata=key("k")))
        await entered.wait()
        call.cancel()
        await given_back.wait()
        echo.behaviour = say
        await stub.Keyed(pb.EchoRequest(), metadata=key("k"))


async def test_the_answer_stands_when_the_store_cannot_keep_it(mesh: LocalMesh) -> None:
    class Store(MemoryStore):
        async def finish(self, scope, attempt, response):
            raise Unavailable("the database has gone")

    await mesh.serve("a", [mount(Echo(), Store())])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with mesh.signed_in("usr_1"):
        assert (await stub.Keyed(pb.EchoRequest(text="x"), metadata=key("k"))).text == "x"


async def test_nothing_runs_when_the_store_cannot_tell(mesh: LocalMesh) -> None:
    class Store(MemoryStore):
        async def begin(self, scope, fingerprint):
            raise Unavailable("the database has gone")

    echo = Echo()
    await mesh.serve("a", [mount(echo, Store())])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with mesh.signed_in("usr_1"), pytest.raises(Unavailable):
        await stub.Keyed(pb.EchoRequest(), metadata=key("k"))
    assert echo.calls == []


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ((), "IDEMPOTENCY_KEY_REQUIRED"),
        (key(""), "IDEMPOTENCY_KEY_INVALID"),
        (key("k" * 256), "IDEMPOTENCY_KEY_INVALID"),
        (key("two words"), "IDEMPOTENCY_KEY_INVALID"),
    ],
)
async def test_a_missing_or_bad_key_is_refused(
    mesh: LocalMesh, metadata: tuple[tuple[str, str], ...], reason: str
) -> None:
    echo = Echo()
    await mesh.serve("a", [mount(echo)])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with mesh.signed_in("usr_1"), pytest.raises(Invalid) as caught:
        await stub.Keyed(pb.EchoRequest(), metadata=metadata)
    assert (caught.value.reason, echo.calls) == (reason, [])


async def test_the_header_means_nothing_where_the_policy_knows_no_keys(mesh: LocalMesh) -> None:
    work = Counting()
    await mesh.serve("a", [mount(Echo(work))])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    for _ in range(2):
        try:
            await stub.Public(pb.EchoRequest(), metadata=key("k"))
        except MeshError as error:
            pytest.fail(repr(error))
    assert work.runs == 2
