import asyncio
import logging

import pytest

from mesh.aio import Drain, Principal, RequestContext, finish, loop_drain, rc, use_context, within
from mesh.errors import Conflict, DeadlineExceeded, Exhausted, Unavailable


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_work_outlives_its_starter_and_keeps_identity_but_not_the_deadline() -> None:
    seen: list[RequestContext] = []

    async def work() -> None:
        await asyncio.sleep(5)
        seen.append(rc())

    drain = Drain()
    with use_context(RequestContext(principal=Principal("usr_ann"), deadline=now() + 1)):
        drain.spawn(work(), "work")
    await drain.close(10)
    assert seen == [RequestContext(principal=Principal("usr_ann"))]
    assert drain.running == 0


async def test_close_cancels_what_runs_past_the_grace() -> None:
    drain = Drain()
    start = now()
    slow = drain.spawn(asyncio.sleep(100), "slow")
    fast = drain.spawn(asyncio.sleep(1, "done"), "fast")
    await drain.close(3)
    assert now() - start == pytest.approx(3)
    assert slow.cancelled()
    assert fast.result() == "done"


async def test_close_ends_as_soon_as_the_work_does() -> None:
    start = now()
    async with Drain(grace_seconds=60) as drain:
        drain.spawn(asyncio.sleep(2), "short")
    assert now() - start == pytest.approx(2)


async def test_work_may_start_work_during_the_grace_and_not_after() -> None:
    drain = Drain()
    ended: list[str] = []

    async def first() -> None:
        await asyncio.sleep(1)
        drain.spawn(second(), "second")

    async def second() -> None:
        await asyncio.sleep(1)
        ended.append("second")

    drain.spawn(first(), "first")
    await drain.close(5)
    assert ended == ["second"]
    with pytest.raises(Unavailable, match="shutting down"):
        drain.spawn(second(), "third")


async def test_more_than_the_limit_is_refused() -> None:
    async with Drain(limit=1) as drain:
        drain.spawn(asyncio.sleep(1), "one")
        with pytest.raises(Exhausted):
            drain.spawn(asyncio.sleep(1), "two")


async def test_work_that_ignores_its_cancel_is_named_and_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    release = asyncio.Event()

    async def deaf() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    drain = Drain()
    task = drain.spawn(deaf(), "deaf")
    await drain.close(1)
    assert "'deaf' ignores its cancel" in caplog.text
    release.set()
    await task


async def test_an_error_nobody_watches_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise KeyError("lost")

    async with Drain() as drain:
        drain.spawn(broken(), "broken")
    record = next(r for r in caplog.records if r.levelno == logging.ERROR)
    assert "'broken' failed" in record.message
    assert record.exc_info is not None


async def test_finish_returns_the_result_and_raises_the_error() -> None:
    async def conflict() -> None:
        raise Conflict("taken")

    assert await finish(asyncio.sleep(1, "saved")) == "saved"
    with pytest.raises(Conflict):
        await finish(conflict())


async def test_a_cancel_waits_for_the_commit_and_then_goes_on() -> None:
    committed: list[float] = []

    async def commit() -> None:
        await asyncio.sleep(1)
        committed.append(now())

    start = now()
    task = asyncio.create_task(_await(finish(commit(), limit=2)))
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.sleep(0.3)
    task.cancel()  # an impatient second one changes nothing
    with pytest.raises(asyncio.CancelledError):
        await task
    assert committed == [pytest.approx(start + 1)]
    assert now() == pytest.approx(start + 1)


async def _await(awaitable: object) -> object:
    return await awaitable  # type: ignore[misc]


async def test_finish_does_not_obey_the_requests_deadline_but_its_own_limit() -> None:
    left: list[float | None] = []

    async def commit() -> None:
        left.append(rc().deadline)
        await asyncio.sleep(1)

    start = now()
    with pytest.raises(DeadlineExceeded):
        async with within(0.5):
            await finish(commit(), limit=2)
    assert now() - start == pytest.approx(1)
    assert left == [pytest.approx(start + 2)]


async def test_the_limit_cancels_the_work() -> None:
    start = now()
    with pytest.raises(DeadlineExceeded):
        await finish(asyncio.sleep(100), limit=2)
    assert now() - start == pytest.approx(2)
    await asyncio.sleep(0)
    assert loop_drain().running == 0


async def test_a_cancelled_caller_leaves_deaf_work_to_the_drain_at_the_limit() -> None:
    release = asyncio.Event()

    async def deaf() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    start = now()
    task = asyncio.create_task(_await(finish(deaf(), limit=2)))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert now() - start == pytest.approx(2)
    assert loop_drain().running == 1
    release.set()
    await loop_drain().close(1)


async def test_finish_says_unavailable_when_shutdown_stops_the_work() -> None:
    task = asyncio.create_task(_await(finish(asyncio.sleep(100), limit=200)))
    await asyncio.sleep(1)
    await loop_drain().close(1)
    with pytest.raises(Unavailable):
        await task
    with pytest.raises(Unavailable):
        await finish(asyncio.sleep(1))
