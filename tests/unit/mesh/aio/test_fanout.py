import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.aio import fan_out, within
from mesh.errors import Cancelled, Conflict, DeadlineExceeded, NotFound, Unavailable


def now() -> float:
    return asyncio.get_running_loop().time()


def answer(after: float, value: str) -> Callable[[], Awaitable[str]]:
    return lambda: asyncio.sleep(after, value)


def failure(after: float, error: Exception) -> Callable[[], Awaitable[str]]:
    async def call() -> str:
        await asyncio.sleep(after)
        raise error

    return call


async def test_all_answers_by_key_in_the_order_asked() -> None:
    got = await fan_out({"a": answer(2, "A"), "b": answer(1, "B")})
    assert list(got.ok.items()) == [("a", "A"), ("b", "B")]
    assert got.complete


async def test_a_failure_is_a_missing_row_with_its_error() -> None:
    error = Unavailable("down")
    got = await fan_out({"a": answer(1, "A"), "b": failure(0, error)})
    assert got.ok == {"a": "A"}
    assert got.missing == {"b": error}


async def test_after_the_soft_time_the_late_are_cut() -> None:
    start = now()
    got = await fan_out({"a": answer(1, "A"), "b": answer(50, "B")}, soft=2)
    assert got.ok == {"a": "A"}
    assert isinstance(got.missing["b"], DeadlineExceeded)
    assert now() - start == pytest.approx(2)


async def test_too_few_answers_at_the_soft_time_are_waited_for() -> None:
    start = now()
    calls = {"a": answer(1, "A"), "b": answer(5, "B"), "c": answer(50, "C")}
    got = await fan_out(calls, soft=2, need=2)
    assert got.ok == {"a": "A", "b": "B"}
    assert now() - start == pytest.approx(5)


@pytest.mark.parametrize("soft", [None, 0.5, 3])
async def test_when_enough_cannot_be_had_the_first_error_is_raised_at_once(
    soft: float | None,
) -> None:
    start = now()
    calls = {
        "a": failure(1, Conflict("first")),
        "b": failure(2, NotFound("second")),
        "c": answer(50, "C"),
    }
    with pytest.raises(Conflict, match="first"):
        await fan_out(calls, soft=soft, need=2)
    assert now() - start == pytest.approx(2)


async def test_with_need_zero_nothing_is_an_answer() -> None:
    got = await fan_out({"a": failure(0, Conflict("no"))}, need=0)
    assert not got.ok
    empty: Mapping[str, Callable[[], Awaitable[str]]] = {}
    assert (await fan_out(empty)).complete


async def test_a_call_whose_rpc_was_cancelled_is_missing_not_lost() -> None:
    async def dead_rpc() -> str:
        raise asyncio.CancelledError

    got = await fan_out({"a": dead_rpc, "b": answer(1, "B")})
    assert isinstance(got.missing["a"], Cancelled)


async def test_a_cancel_of_the_caller_cancels_every_call() -> None:
    ended: list[str] = []

    async def call() -> str:
        try:
            return await asyncio.sleep(100, "x")
        finally:
            ended.append("x")

    with pytest.raises(DeadlineExceeded):
        async with within(1):
            await fan_out({1: call, 2: call}, soft=50)
    assert ended == ["x", "x"]


async def test_at_most_limit_calls_run_at_a_time() -> None:
    start = now()
    got = await fan_out({k: answer(1, str(k)) for k in range(6)}, limit=2)
    assert len(got.ok) == 6
    assert now() - start == pytest.approx(3)


async def test_more_needed_than_asked_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="2 answers of 1"):
        await fan_out({"a": answer(0, "A")}, need=2)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=7),
    st.data(),
)
async def test_every_key_is_either_answered_or_missing(
    plan: list[tuple[int, bool]], data: st.DataObject
) -> None:
    need = data.draw(st.integers(0, len(plan)))

    async def call(turns: int, good: bool) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        if not good:
            raise NotFound
        return turns

    async def main() -> None:
        calls = {i: lambda p=p: call(*p) for i, p in enumerate(plan)}
        good = sum(ok for _, ok in plan)
        if good < need:
            with pytest.raises(NotFound):
                await fan_out(calls, need=need)
        else:
            got = await fan_out(calls, need=need)
            assert len(got.ok) == good
            assert got.ok.keys() | got.missing.keys() == set(range(len(plan)))
            assert not got.ok.keys() & got.missing.keys()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    await main()
