"""Who may call what; the whole matrix of callers and rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from echo import Echo, mount
from echo_stubs import pb, rpc

from mesh.aio import rc
from mesh.clock import FixedClock
from mesh.errors import Kind, MeshError
from mesh.rpc.auth import AUTHORIZATION, SERVICE_HEADER
from mesh.testing import LocalMesh

OK = None
NO_TOKEN, NOT_ALLOWED = Kind.UNAUTHENTICATED, Kind.FORBIDDEN

#                   Public    User      Host         Admin        Service
MATRIX = {
    "nobody": (OK, NO_TOKEN, NO_TOKEN, NO_TOKEN, NOT_ALLOWED),
    "guest": (OK, OK, NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED),
    "host": (OK, OK, OK, NOT_ALLOWED, NOT_ALLOWED),
    "admin": (OK, OK, NOT_ALLOWED, OK, NOT_ALLOWED),
    "service": (OK, NO_TOKEN, NO_TOKEN, NO_TOKEN, OK),
    "service for guest": (OK, OK, NOT_ALLOWED, NOT_ALLOWED, OK),
    "service for host": (OK, OK, OK, NOT_ALLOWED, OK),
    "bad token": (NO_TOKEN,) * 5,
    "bad service": (NO_TOKEN,) * 5,
    "service with bad user": (NO_TOKEN,) * 5,
}
METHODS = ("Public", "User", "Host", "Admin", "Service")


@contextmanager
def calling_as(mesh: LocalMesh, who: str) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield the headers that `who` sends."""
    user = {"guest": (), "host": ("host",), "admin": ("admin",)}
    role = who.removeprefix("service for ")
    headers = []
    if role in user:
        headers.append((AUTHORIZATION, f"Bearer {mesh.keys.user_token('usr_1', user[role])}"))
    elif who in ("bad token", "service with bad user"):
        headers.append((AUTHORIZATION, "Bearer x.y.z"))
    if who == "bad service":
        headers.append((SERVICE_HEADER, mesh.keys.user_token("usr_1")))
    elif who.startswith("service"):
        headers.append((SERVICE_HEADER, mesh.keys.identity("search").token()))
    yield tuple(headers)


@pytest.mark.parametrize("who", MATRIX)
async def test_each_caller_may_do_what_the_policy_says(mesh: LocalMesh, who: str) -> None:
    echo = Echo()
    await mesh.serve("a", [mount(echo)])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    got = []
    for method in METHODS:
        with calling_as(mesh, who) as headers:
            try:
                await getattr(stub, method)(pb.EchoRequest(), metadata=headers)
            except MeshError as error:
                got.append(error.kind)
            else:
                got.append(None)
    assert tuple(got) == MATRIX[who]
    allowed = [m for m, kind in zip(METHODS, MATRIX[who], strict=True) if kind is OK]
    assert echo.calls == allowed


async def test_a_stream_is_guarded_like_a_call(mesh: LocalMesh) -> None:
    echo = Echo()
    await mesh.serve("a", [mount(echo)])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))

    async def one():
        yield pb.EchoRequest(text="hi")

    with pytest.raises(MeshError) as caught:
        async with stub.Chat(one()) as answers:
            await anext(answers)
    assert caught.value.kind is NO_TOKEN
    with mesh.signed_in("usr_1"):
        async with stub.Chat(one()) as answers:
            assert [answer.caller async for answer in answers] == ["usr_1/"]


async def test_a_user_goes_along_on_hops_made_for_them(mesh: LocalMesh) -> None:
    await mesh.serve("b", [mount(Echo())])
    b = rpc.EchoServiceStub(await mesh.connect("b", caller="booking"))
    await mesh.serve("a", [mount(Echo(b.User))])
    a = rpc.EchoServiceStub(await mesh.connect("a"))
    with mesh.signed_in("usr_7"):
        assert (await a.User(pb.EchoRequest())).caller == "usr_7/booking"
    assert rc().token is None


async def test_a_public_method_knows_who_is_signed_in(mesh: LocalMesh) -> None:
    await mesh.serve("a", [mount(Echo())])
    stub = rpc.EchoServiceStub(await mesh.connect("a"))
    with mesh.signed_in("usr_7"):
        assert (await stub.Public(pb.EchoRequest())).caller == "usr_7/"


async def test_an_expired_token_is_refused_also_when_it_was_good_before() -> None:
    clock = FixedClock(datetime(2026, 5, 1, tzinfo=UTC))
    async with LocalMesh(clock) as mesh:
        await mesh.serve("a", [mount(Echo())])
        stub = rpc.EchoServiceStub(await mesh.connect("a"))
        with mesh.signed_in("usr_1"):
            await stub.User(pb.EchoRequest())
            clock.advance(timedelta(minutes=15))
            with pytest.raises(MeshError) as caught:
                await stub.User(pb.EchoRequest())
    assert caught.value.reason == "TOKEN_EXPIRED"


async def test_a_service_mints_anew_before_its_token_ends() -> None:
    clock = FixedClock(datetime(2026, 5, 1, tzinfo=UTC))
    async with LocalMesh(clock) as mesh:
        identity = mesh.keys.identity("search")
        first = identity.token()
        clock.advance(timedelta(minutes=3, seconds=59))
        assert identity.token() == first
        clock.advance(timedelta(seconds=1))
        assert identity.token() != first
