import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.aio import Group, within
from mesh.errors import Conflict, DeadlineExceeded, NotFound

Settle = Callable[[], Awaitable[None]]


async def fail(after: float, error: Exception) -> None:
    await asyncio.sleep(after)
    raise error


async def stubborn(seconds: float) -> None:
    """Take `seconds` to clean up after a cancel."""
    try:
        await asyncio.sleep(1000)
    finally:
        await asyncio.sleep(seconds)


async def fail_when_cancelled(error: Exception) -> None:
    try:
        await asyncio.sleep(1000)
    finally:
        raise error


def cancels_pending() -> int:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


async def test_the_block_ends_when_every_task_has_ended() -> None:
    start = asyncio.get_running_loop().time()
    async with Group() as group:
        one = await group.go(asyncio.sleep(1, "one"))
        two = await group.go(asyncio.sleep(2, "two"))
    assert (one.result(), two.result()) == ("one", "two")
    assert asyncio.get_running_loop().time() - start == pytest.approx(2)


async def test_the_first_error_is_raised_as_itself_and_cancels_the_rest() -> None:
    first = NotFound("first")
    with pytest.raises(NotFound) as caught:
        async with Group() as group:
            rest = await group.go(asyncio.sleep(100))
            await group.go(fail(1, first))
            await asyncio.sleep(100)
    assert caught.value is first
    assert rest.cancelled()
    assert cancels_pending() == 0
    await asyncio.sleep(0)


async def test_later_errors_are_notes_on_the_first() -> None:
    with pytest.raises(NotFound) as caught:
        async with Group() as group:
            await group.go(fail_when_cancelled(Conflict("too late")))
            await group.go(fail(1, NotFound("first")))
    assert "too late" in caught.value.__notes__[0]


async def test_an_error_of_the_block_cancels_the_tasks() -> None:
    with pytest.raises(KeyError):
        async with Group() as group:
            task = await group.go(asyncio.sleep(100))
            raise KeyError
    assert task.cancelled()


async def test_a_cancel_from_outside_cancels_the_tasks_and_goes_on() -> None:
    children: list[asyncio.Task[None]] = []

    async def work() -> None:
        async with Group() as group:
            children.append(await group.go(asyncio.sleep(100)))

    task = asyncio.create_task(work())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children[0].cancelled()


@pytest.mark.parametrize("where", ["in the block", "at its end"])
async def test_a_cancel_wins_over_an_error_and_is_never_swallowed(where: str) -> None:
    """The trap of asyncio.TaskGroup: an error and a cancel come together."""
    went_on = False

    async def work() -> None:
        nonlocal went_on
        async with Group() as group:
            await group.go(fail(1, NotFound("x")))
            await group.go(stubborn(5))
            if where == "in the block":
                await asyncio.sleep(100)
        went_on = True

    task = asyncio.create_task(work())
    await asyncio.sleep(2)  # the error has come, the stubborn one still cleans up
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, NotFound)
    assert not went_on


async def test_nested_groups_pass_a_parents_cancel_on() -> None:
    """Before 3.13 a nested TaskGroup that fails in the same instant loses it."""

    async def work() -> None:
        async with Group() as outer:
            await outer.go(fail(1, Conflict("outer")))
            async with Group() as inner:
                await inner.go(fail(1, NotFound("inner")))
                await asyncio.sleep(100)
            raise AssertionError("went on although the outer group had failed")

    with pytest.raises(Conflict, match="outer"):
        await work()
    assert cancels_pending() == 0


async def test_an_inner_failure_does_not_touch_the_outer_group() -> None:
    async with Group() as outer:
        sibling = await outer.go(asyncio.sleep(5, "alive"))
        with pytest.raises(NotFound):
            async with Group() as inner:
                await inner.go(fail(1, NotFound("inner")))
                await asyncio.sleep(100)
        assert cancels_pending() == 0
    assert sibling.result() == "alive"


async def test_a_group_works_in_the_cleanup_after_a_cancel() -> None:
    cleaned = False

    async def work() -> None:
        nonlocal cleaned
        try:
            await asyncio.sleep(100)
        finally:
            with pytest.raises(NotFound):
                async with Group() as group:
                    await group.go(fail(1, NotFound("x")))
                    await asyncio.sleep(100)
            cleaned = True

    task = asyncio.create_task(work())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned


async def test_a_deadline_around_a_group_is_what_the_caller_sees() -> None:
    with pytest.raises(DeadlineExceeded):
        async with within(1), Group() as group:
            await group.go(fail_when_cancelled(ConnectionError("torn by the cancel")))


async def test_go_waits_for_a_slot(settle: Settle) -> None:
    peak = running = 0

    async def work() -> None:
        nonlocal peak, running
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(1)
        running -= 1

    start = asyncio.get_running_loop().time()
    async with Group(limit=3) as group:
        for _ in range(10):
            await group.go(work())
    assert peak == 3
    assert asyncio.get_running_loop().time() - start == pytest.approx(4)


async def test_try_go_refuses_when_full() -> None:
    async with Group(limit=1) as group:
        assert group.try_go(asyncio.sleep(1)) is not None
        assert group.try_go(asyncio.sleep(1)) is None


async def test_an_error_ends_the_wait_for_a_slot() -> None:
    with pytest.raises(NotFound):
        async with Group(limit=1) as group:
            await group.go(fail(1, NotFound("x")))
            await group.go(asyncio.sleep(100))
            raise AssertionError("started after the failure")


async def test_a_task_may_start_others_until_the_block_ends() -> None:
    late: list[str] = []

    async def child(group: Group) -> None:
        await asyncio.sleep(1)
        await group.go(grandchild())

    async def grandchild() -> None:
        await asyncio.sleep(1)
        late.append("done")

    async with Group() as group:
        await group.go(child(group))
    assert late == ["done"]
    with pytest.raises(RuntimeError):
        await group.go(grandchild())


async def test_cancel_ends_the_tasks_without_an_error() -> None:
    async with Group() as group:
        task = await group.go(asyncio.sleep(100))
        group.cancel()
    assert task.cancelled()


async def test_a_task_that_was_cancelled_alone_is_no_error() -> None:
    async with Group() as group:
        task = await group.go(asyncio.sleep(100))
        other = await group.go(asyncio.sleep(2, "fine"))
        task.cancel()
    assert other.result() == "fine"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["ok", "error", "slow"])), max_size=8),
    st.integers(0, 6),
    st.sampled_from([None, 1, 3]),
)
async def test_no_task_outlives_any_group(
    plan: list[tuple[int, str]], cancel_at: int, limit: int | None
) -> None:
    """Ready tasks only, no clock: steps are turns of the loop."""

    async def child(steps: int, end: str) -> None:
        try:
            for _ in range(steps):
                await asyncio.sleep(0)
            if end == "error":
                raise NotFound(str(steps))
            if end == "slow":
                await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)

    async def work() -> None:
        async with Group(limit) as group:
            for steps, end in plan:
                await group.go(child(steps, end))

    async def main() -> None:
        task = asyncio.create_task(work())
        for _ in range(cancel_at):
            await asyncio.sleep(0)
        was_done = task.done()
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        assert was_done or isinstance(outcome, asyncio.CancelledError)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    await main()
