import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mesh.aio import (
    Principal,
    RequestContext,
    SingleFlight,
    loop_drain,
    rc,
    use_context,
    within,
)
from mesh.errors import Conflict, DeadlineExceeded, Unavailable

Settle = Callable[[], Awaitable[None]]


class Work:
    def __init__(self, seconds: float = 5, error: Exception | None = None) -> None:
        self.seconds = seconds
        self.error = error
        self.started = 0
        self.cancelled = 0
        self.context: RequestContext | None = None

    async def __call__(self) -> str:
        self.started += 1
        self.context = rc()
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return f"answer {self.started}"


async def test_callers_at_the_same_time_share_one_call() -> None:
    flight = SingleFlight[str, str](60)
    work = Work()
    got = await asyncio.gather(*(flight.do("k", work) for _ in range(10)), flight.do("x", work))
    assert work.started == 2
    assert set(got[:10]) == {"answer 2"} or set(got[:10]) == {"answer 1"}
    assert flight.flying == 0


async def test_nothing_is_kept_after_the_answer() -> None:
    flight = SingleFlight[str, str](60)
    work = Work()
    assert await flight.do("k", work) == "answer 1"
    assert await flight.do("k", work) == "answer 2"


async def test_who_comes_in_the_instant_after_the_answer_starts_anew() -> None:
    flight = SingleFlight[str, str](60)
    ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    fresh = Work()

    async def ends() -> str:
        await asyncio.sleep(1)
        ending.set_result(None)  # wakes the late one when this has ended, before it is tidied up
        return "old"

    async def late() -> str:
        await ending
        return await flight.do("k", fresh)

    first, second = await asyncio.gather(flight.do("k", ends), late())
    assert (first, second) == ("old", "answer 1")


async def test_an_error_is_everybodys() -> None:
    flight = SingleFlight[str, str](60)
    work = Work(error=Conflict("no"))
    got = await asyncio.gather(*(flight.do("k", work) for _ in range(3)), return_exceptions=True)
    assert [type(g) for g in got] == [Conflict] * 3
    assert work.started == 1


async def test_a_cancelled_caller_only_leaves() -> None:
    flight = SingleFlight[str, str](60)
    work = Work()
    starter = asyncio.create_task(flight.do("k", work))
    await asyncio.sleep(1)
    joiner = asyncio.create_task(flight.do("k", work))
    await asyncio.sleep(1)
    starter.cancel()
    assert await joiner == "answer 1"
    assert starter.cancelled()
    assert work.cancelled == 0


async def test_the_last_to_leave_cancels_the_work_and_the_next_starts_anew() -> None:
    flight = SingleFlight[str, str](60)
    work = Work()
    callers = [asyncio.create_task(flight.do("k", work)) for _ in range(3)]
    await asyncio.sleep(1)
    for caller in callers:
        caller.cancel()
    fresh = asyncio.create_task(flight.do("k", work))
    assert await fresh == "answer 2"
    assert work.cancelled == 1


async def test_the_callers_deadline_is_not_the_works() -> None:
    flight = SingleFlight[str, str](60)
    work = Work(seconds=5)

    async def hurried() -> str:
        with use_context(RequestContext(principal=Principal("usr_ann"))):
            async with within(1):
                return await flight.do("k", work)

    start = asyncio.get_running_loop().time()
    first = asyncio.create_task(hurried())
    await asyncio.sleep(0.5)
    patient = asyncio.create_task(flight.do("k", work))
    with pytest.raises(DeadlineExceeded):
        await first
    assert await patient == "answer 1"
    assert work.context is not None
    assert work.context.principal == Principal("usr_ann")
    assert work.context.deadline == pytest.approx(start + 60)


async def test_the_work_has_a_limit_of_its_own() -> None:
    with pytest.raises(DeadlineExceeded):
        await SingleFlight[str, str](2).do("k", Work(seconds=100))


async def test_shutdown_is_unavailable_to_those_who_wait() -> None:
    flight = SingleFlight[str, str](60)
    task = asyncio.create_task(flight.do("k", Work(seconds=50)))
    await asyncio.sleep(1)
    await loop_drain().close(1)
    with pytest.raises(Unavailable):
        await task


async def test_an_error_after_everybody_left_is_logged(
    caplog: pytest.LogCaptureFixture, settle: Settle
) -> None:
    async def complains() -> str:
        try:
            return await asyncio.sleep(100, "x")
        finally:
            raise ConnectionError("torn")

    task = asyncio.create_task(SingleFlight[str, str](60).do("k", complains))
    await asyncio.sleep(1)
    task.cancel()
    await settle()
    assert task.cancelled()
    assert "single flight 'k'" in caplog.text
