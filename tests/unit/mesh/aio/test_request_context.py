import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.aio import (
    IdempotentCall,
    Principal,
    RequestContext,
    TraceContext,
    rc,
    remaining,
    require_user,
    use_context,
    within,
)
from mesh.errors import DeadlineExceeded, Unauthenticated


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_the_time_given_ends_the_block() -> None:
    start = now()
    with pytest.raises(DeadlineExceeded):
        async with within(0.2):
            await asyncio.sleep(10)
    assert now() - start == pytest.approx(0.2)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize(("outer", "inner", "left"), [(1.0, 5.0, 1.0), (5.0, 1.0, 1.0)])
async def test_a_child_can_only_shorten_the_deadline(
    outer: float, inner: float, left: float
) -> None:
    async with within(outer), within(inner):
        assert remaining() == pytest.approx(left)


async def test_leaving_the_block_restores_the_parents_deadline() -> None:
    async with within(5):
        async with within(1):
            pass
        assert remaining() == pytest.approx(5)
    assert remaining() is None


async def test_no_time_left_refuses_to_start() -> None:
    ran = False
    with use_context(RequestContext(deadline=now() - 1)):
        assert remaining() == 0.0
        with pytest.raises(DeadlineExceeded):
            async with within(1):
                ran = True
    assert not ran
    assert rc().deadline is None


async def test_within_nothing_enforces_the_requests_own_deadline() -> None:
    with use_context(RequestContext(deadline=now() + 0.5)), pytest.raises(DeadlineExceeded):
        async with within():
            await asyncio.sleep(1)


async def test_a_cancel_from_outside_is_never_converted() -> None:
    async def work() -> None:
        async with within(1):
            await asyncio.sleep(10)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancel_together_with_the_timeout_wins() -> None:
    task: asyncio.Task[None]

    async def work() -> None:
        async with within(1):
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                task.cancel()
                raise

    task = asyncio.create_task(work())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_timeout_error_of_the_block_stays_what_it_is() -> None:
    with pytest.raises(TimeoutError):
        async with within(1):
            raise TimeoutError


async def test_nested_scopes_that_end_together_raise_once() -> None:
    with pytest.raises(DeadlineExceeded):
        async with within(1), within(1), within(7):
            await asyncio.sleep(9)
    await asyncio.sleep(0)  # no cancel is left over


async def test_a_task_inherits_the_context() -> None:
    ann = RequestContext(principal=Principal("usr_ann"))
    with use_context(ann):
        task = asyncio.create_task(asyncio.sleep(0, rc()))
        other = asyncio.create_task(_read())
    assert await task == ann
    assert await other == ann


async def _read() -> RequestContext:
    return rc()


async def test_a_call_without_a_user_is_unauthenticated() -> None:
    with pytest.raises(Unauthenticated, match="signed in"):
        require_user()
    with use_context(RequestContext(principal=Principal("usr_ann", frozenset({"guest"})))):
        assert require_user().user_id == "usr_ann"


def test_a_token_is_not_printed() -> None:
    assert "s3cret" not in repr(RequestContext(token="s3cret"))


def test_first_seen_is_milliseconds_for_ids() -> None:
    call = IdempotentCall("k", 0, datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC))
    assert call.first_seen_ms == 1999


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
def test_a_traceparent_round_trips(trace: int, span: int, sampled: bool) -> None:
    context = TraceContext(f"{trace:032x}", f"{span:016x}", sampled)
    assert TraceContext.parse(context.traceparent) == context


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        f"00-{'0' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'0' * 16}-01",
        f"ff-{'1' * 32}-{'1' * 16}-01",
        f"00-{'A' * 32}-{'1' * 16}-01",
        f"00-{'1' * 31}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'1' * 16}-01x",
    ],
)
def test_a_malformed_traceparent_is_no_trace(header: str) -> None:
    assert TraceContext.parse(header) is None
