"""Keyed and Semaphore: who waits, in which order, and what a cancel leaves behind."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.aio import Keyed, Semaphore, within
from mesh.errors import DeadlineExceeded, Exhausted

Settle = Callable[[], Awaitable[None]]


async def test_one_key_is_held_by_one_at_a_time_in_order_of_arrival() -> None:
    locks = Keyed[str]()
    order: list[int] = []

    async def work(i: int) -> None:
        async with locks.lock("k"):
            order.append(i)
            await asyncio.sleep(1)

    start = asyncio.get_running_loop().time()
    await asyncio.gather(*(work(i) for i in range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert asyncio.get_running_loop().time() - start == pytest.approx(5)
    assert len(locks) == 0


async def test_other_keys_do_not_wait() -> None:
    locks = Keyed[int]()
    async with locks.lock(1), locks.lock(2):
        assert locks.locked(1)
        assert not locks.locked(3)


async def test_a_lock_is_given_up_on_an_error() -> None:
    locks = Keyed[str]()
    with pytest.raises(KeyError):
        async with locks.lock("k"):
            raise KeyError
    assert not locks.locked("k")


async def test_waiting_for_a_lock_ends_with_the_deadline() -> None:
    locks = Keyed[str]()
    async with locks.lock("k"):
        with pytest.raises(DeadlineExceeded):
            async with within(1), locks.lock("k"):
                pass
    assert len(locks) == 0


async def test_too_many_waiters_are_refused() -> None:
    locks = Keyed[str](max_waiters=0)
    async with locks.lock("k"):
        with pytest.raises(Exhausted):
            async with locks.lock("k"):
                pass


async def test_a_lock_handed_over_in_the_instant_of_the_cancel_is_passed_on(
    settle: Settle,
) -> None:
    locks = Keyed[str]()
    got: list[str] = []

    async def work(name: str) -> None:
        async with locks.lock("k"):
            got.append(name)

    async with locks.lock("k"):
        second, third = asyncio.create_task(work("2")), asyncio.create_task(work("3"))
        await settle()
    second.cancel()  # it owns the lock by now and has not run yet
    await third
    assert got == ["3"]
    assert len(locks) == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 9)), max_size=10))
async def test_a_lock_excludes_and_no_entry_is_left_whatever_is_cancelled(
    plan: list[tuple[int, int, int]],
) -> None:
    """Each task locks a key for some turns of the loop and is cancelled at some turn."""
    locks = Keyed[int]()
    held: set[int] = set()

    async def work(key: int, turns: int) -> None:
        async with locks.lock(key):
            assert key not in held
            held.add(key)
            try:
                for _ in range(turns):
                    await asyncio.sleep(0)
            finally:
                held.discard(key)

    async def main() -> None:
        tasks = [asyncio.create_task(work(key, turns)) for key, turns, _ in plan]
        for turn in range(10):
            for task, (_, _, cancel_at) in zip(tasks, plan, strict=True):
                if cancel_at == turn:
                    task.cancel()
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(o is None or isinstance(o, asyncio.CancelledError) for o in outcomes)
        assert len(locks) == 0

    await main()


async def test_weights_are_held_and_given_back() -> None:
    sem = Semaphore(10)
    async with sem.hold(7):
        assert not sem.try_acquire(4)
        assert sem.try_acquire(3)
        assert sem.free == 0
    sem.release(3)
    assert sem.free == 10
    with pytest.raises(ValueError, match="more than was acquired"):
        sem.release()


@pytest.mark.parametrize("weight", [0, -1, 11])
async def test_a_weight_that_can_never_fit_is_a_mistake(weight: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 10"):
        await Semaphore(10).acquire(weight)


async def test_a_heavy_waiter_is_not_starved_by_light_ones(settle: Settle) -> None:
    sem = Semaphore(2)
    order: list[str] = []

    async def take(name: str, weight: int) -> None:
        async with sem.hold(weight):
            order.append(name)
            await asyncio.sleep(1)

    light = asyncio.create_task(take("light", 1))
    await settle()
    heavy = asyncio.create_task(take("heavy", 2))
    await settle()
    assert not sem.try_acquire()
    late = asyncio.create_task(take("late", 1))
    await asyncio.gather(light, heavy, late)
    assert order == ["light", "heavy", "late"]


async def test_a_cancelled_heavy_waiter_lets_the_light_ones_pass(settle: Settle) -> None:
    sem = Semaphore(2)
    async with sem.hold():
        heavy = asyncio.create_task(sem.acquire(2))
        await settle()
        light = asyncio.create_task(sem.acquire())
        await settle()
        heavy.cancel()
        await light
        sem.release()
    assert (sem.free, sem.waiting) == (2, 0)


async def test_a_grant_in_the_instant_of_the_cancel_is_given_back(settle: Settle) -> None:
    sem = Semaphore(1)
    await sem.acquire()
    waiter = asyncio.create_task(sem.acquire())
    await settle()
    sem.release()
    waiter.cancel()
    await settle()
    assert waiter.cancelled()
    assert (sem.free, sem.waiting) == (1, 0)


async def test_waiting_for_a_slot_ends_with_the_deadline() -> None:
    sem = Semaphore(1)
    async with sem.hold():
        with pytest.raises(DeadlineExceeded):
            async with within(1):
                await sem.acquire()
    assert (sem.free, sem.waiting) == (1, 0)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(0, 9)), max_size=10),
)
async def test_the_size_is_never_exceeded_and_everything_comes_back(
    size: int, plan: list[tuple[int, int, int]]
) -> None:
    sem = Semaphore(size)
    held = 0

    async def work(weight: int, turns: int) -> None:
        nonlocal held
        async with sem.hold(weight):
            held += weight
            assert held <= size
            try:
                for _ in range(turns):
                    await asyncio.sleep(0)
            finally:
                held -= weight

    async def main() -> None:
        tasks = [asyncio.create_task(work(min(w, size), turns)) for w, turns, _ in plan]
        for turn in range(10):
            for task, (_, _, cancel_at) in zip(tasks, plan, strict=True):
                if cancel_at == turn:
                    task.cancel()
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(o is None or isinstance(o, asyncio.CancelledError) for o in outcomes)
        assert (sem.free, sem.waiting) == (size, 0)

    await main()
