"""Retry, RetryBudget, Breaker and TokenBucket: when to stop asking."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.aio import Breaker, BreakerState, Retry, RetryBudget, TokenBucket, within
from mesh.errors import Conflict, Exhausted, Kind, MeshError, NotFound, Unavailable

Settle = Callable[[], Awaitable[None]]


def now() -> float:
    return asyncio.get_running_loop().time()


class Peer:
    """Raises the errors it was given, one a call, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return "answer"


def steady(**changes: object) -> Retry:
    """A policy whose jitter always draws the longest pause."""
    return Retry(random=lambda: 1.0, **changes)  # type: ignore[arg-type]


async def test_a_retry_cures_what_it_can() -> None:
    peer = Peer(Unavailable("1"), Unavailable("2"))
    start = now()
    assert await steady(base_seconds=0.1).run(peer) == "answer"
    assert now() - start == pytest.approx(0.1 + 0.2)


async def test_the_tries_are_counted() -> None:
    peer = Peer(*[Unavailable(str(i)) for i in range(9)])
    with pytest.raises(Unavailable, match="2"):
        await steady(attempts=3).run(peer)
    assert peer.calls == 3


@pytest.mark.parametrize("error", [Conflict("no"), NotFound("no"), KeyError("no")])
async def test_other_errors_are_not_retried(error: Exception) -> None:
    peer = Peer(error)
    with pytest.raises(type(error)):
        await steady().run(peer)
    assert peer.calls == 1


async def test_only_the_kinds_it_is_told() -> None:
    peer = Peer(Conflict("again"))
    assert await steady(kinds=frozenset({Kind.CONFLICT})).run(peer) == "answer"


async def test_no_pause_that_outlasts_the_deadline() -> None:
    peer = Peer(Unavailable("down"))
    start = now()
    with pytest.raises(Unavailable):
        async with within(1):
            await steady(base_seconds=5, cap_seconds=5).run(peer)
    assert now() == start


async def test_the_peers_own_wish_for_a_pause_is_respected_up_to_the_cap() -> None:
    start = now()
    peer = Peer(Exhausted("slow down", retry_after_seconds=0.7))
    kinds = frozenset({Kind.EXHAUSTED})
    assert await steady(kinds=kinds).run(peer) == "answer"
    assert now() - start == pytest.approx(0.7)
    with pytest.raises(Exhausted):
        await steady(kinds=kinds).run(Peer(Exhausted("later", retry_after_seconds=60)))


@given(st.integers(1, 500), st.floats(0, 1, exclude_max=True))
def test_the_pause_is_between_nothing_and_the_cap(attempt: int, draw: float) -> None:
    policy = Retry(base_seconds=0.05, cap_seconds=2.0, random=lambda: draw)
    assert 0.0 <= policy.backoff_seconds(attempt) <= min(2.0, 0.05 * 2 ** (attempt - 1))


async def test_when_most_calls_fail_the_budget_stops_the_retries() -> None:
    budget = RetryBudget(max_tokens=10, ratio=0.1)
    policy = steady(budget=budget, attempts=4, base_seconds=0.001)
    calls = 0

    async def dead() -> None:
        nonlocal calls
        calls += 1
        raise Unavailable("dead")

    for _ in range(100):
        with pytest.raises(Unavailable):
            await policy.run(dead)
    assert calls <= 100 + 10
    assert not budget.allows()


async def test_successes_earn_the_budget_back() -> None:
    budget = RetryBudget(max_tokens=2, ratio=0.5)
    budget.on_failure()
    assert not budget.allows()
    budget.on_success()
    assert budget.allows()


@given(st.lists(st.booleans(), max_size=200))
def test_budget_tokens_stay_in_their_range(outcomes: list[bool]) -> None:
    budget = RetryBudget(max_tokens=10, ratio=0.1)
    for ok in outcomes:
        (budget.on_success if ok else budget.on_failure)()
        assert 0 <= budget.tokens <= 10
        assert budget.allows() == (budget.tokens > 5)


def state_of(breaker: Breaker) -> BreakerState:
    return breaker.state  # read through a call, so that mypy does not take it for settled


async def call(breaker: Breaker, error: BaseException | None = None) -> str:
    async def fn() -> str:
        if error is not None:
            raise error
        return "answer"

    return await breaker.run(fn)


async def open_up(breaker: Breaker, failures: int = 10) -> None:
    for _ in range(failures):
        with pytest.raises(Unavailable):
            await call(breaker, Unavailable("down"))


async def test_ten_failures_in_a_row_open_it_for_a_minute() -> None:
    breaker = Breaker("payments")
    await open_up(breaker, 9)
    assert state_of(breaker) is BreakerState.CLOSED
    await call(breaker)
    await open_up(breaker)
    assert state_of(breaker) is BreakerState.OPEN
    await asyncio.sleep(59)
    with pytest.raises(Unavailable) as caught:
        await call(breaker)
    assert caught.value.reason == "CIRCUIT_OPEN"
    assert caught.value.retry_after_seconds == pytest.approx(1)


async def test_after_a_minute_five_successes_close_it() -> None:
    changes: list[tuple[str, BreakerState]] = []
    breaker = Breaker("payments", on_change=lambda name, state: changes.append((name, state)))
    await open_up(breaker)
    await asyncio.sleep(60)
    for _ in range(4):
        assert await call(breaker) == "answer"
        assert state_of(breaker) is BreakerState.HALF_OPEN
    await call(breaker)
    assert state_of(breaker) is BreakerState.CLOSED
    assert [state for _, state in changes] == ["open", "half_open", "closed"]


async def test_one_failure_of_a_probe_opens_it_again() -> None:
    breaker = Breaker("payments")
    await open_up(breaker)
    await asyncio.sleep(60)
    await call(breaker)
    await open_up(breaker, 1)
    assert state_of(breaker) is BreakerState.OPEN


async def test_half_open_lets_few_through_at_a_time(settle: Settle) -> None:
    breaker = Breaker("payments", successes=2)
    await open_up(breaker)
    await asyncio.sleep(60)
    probes = [asyncio.create_task(breaker.run(lambda: asyncio.sleep(1, "ok"))) for _ in range(2)]
    await settle()
    with pytest.raises(Unavailable, match="not being called"):
        await call(breaker)
    assert await asyncio.gather(*probes) == ["ok", "ok"]
    assert state_of(breaker) is BreakerState.CLOSED


async def test_a_considered_answer_is_no_failure_of_the_peer() -> None:
    breaker = Breaker("payments", failures=1)
    with pytest.raises(NotFound):
        await call(breaker, NotFound("no such"))
    assert state_of(breaker) is BreakerState.CLOSED
    with pytest.raises(KeyError):
        await call(breaker, KeyError("a bug"))
    assert state_of(breaker) is BreakerState.OPEN


async def test_a_cancelled_probe_gives_its_place_back() -> None:
    breaker = Breaker("payments", successes=1)
    await open_up(breaker)
    await asyncio.sleep(60)
    with pytest.raises(asyncio.CancelledError):
        await call(breaker, asyncio.CancelledError())
    assert state_of(breaker) is BreakerState.HALF_OPEN
    await call(breaker)
    assert state_of(breaker) is BreakerState.CLOSED


async def test_an_answer_to_an_old_question_does_not_count() -> None:
    breaker = Breaker("payments", failures=1, successes=1)

    async def slow_failure() -> None:
        await asyncio.sleep(90)
        raise Unavailable("old news")

    old = asyncio.create_task(breaker.run(slow_failure))
    await asyncio.sleep(0)
    await open_up(breaker, 1)
    await asyncio.sleep(61)
    await call(breaker)
    with pytest.raises(Unavailable):
        await old
    assert state_of(breaker) is BreakerState.CLOSED


async def test_a_burst_passes_and_then_the_rate_rules() -> None:
    bucket = TokenBucket(rate_per_second=2, burst=3)
    start = now()
    for _ in range(3):
        assert bucket.try_take()
    assert not bucket.try_take()
    for i in range(1, 5):
        await bucket.wait()
        assert now() - start == pytest.approx(i / 2, abs=0.01)


async def test_a_wait_longer_than_the_time_left_is_refused_at_once() -> None:
    bucket = TokenBucket(rate_per_second=1, burst=1)
    bucket.try_take()
    start = now()
    with pytest.raises(Exhausted) as caught:
        async with within(0.5):
            await bucket.wait()
    assert now() == start
    assert caught.value.retry_after_seconds == pytest.approx(1)
    async with within(2):
        await bucket.wait()


async def test_without_a_deadline_the_wait_is_still_bounded() -> None:
    bucket = TokenBucket(rate_per_second=1, burst=1, max_wait_seconds=3)
    bucket.try_take()
    waits = [asyncio.create_task(bucket.wait()) for _ in range(4)]
    outcomes = await asyncio.gather(*waits, return_exceptions=True)
    assert [isinstance(o, Exhausted) for o in outcomes] == [False, False, False, True]


async def test_waiters_are_served_in_order_and_newcomers_do_not_overtake() -> None:
    bucket = TokenBucket(rate_per_second=1, burst=5)
    bucket.try_take(5)
    order: list[str] = []

    async def take(name: str, n: float) -> None:
        await bucket.wait(n)
        order.append(name)

    big, small = asyncio.create_task(take("big", 4)), asyncio.create_task(take("small", 1))
    await asyncio.sleep(2)
    assert not bucket.try_take()
    await asyncio.gather(big, small)
    assert order == ["big", "small"]


async def test_a_cancelled_waiter_takes_nothing_and_the_others_move_up() -> None:
    bucket = TokenBucket(rate_per_second=1, burst=4)
    bucket.try_take(4)
    start = now()
    first, second = asyncio.create_task(bucket.wait(4)), asyncio.create_task(bucket.wait(1))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert now() - start == pytest.approx(1, abs=0.01)
    assert bucket.waiting == 0


async def test_tokens_granted_in_the_instant_of_the_cancel_go_to_the_next() -> None:
    bucket = TokenBucket(rate_per_second=1, burst=2)
    bucket.try_take(2)
    first, second = asyncio.create_task(bucket.wait()), asyncio.create_task(bucket.wait())
    await asyncio.sleep(0)
    start = now()
    loop = asyncio.get_running_loop()
    loop.call_at(start + 1.0, first.cancel)
    await second
    assert now() - start == pytest.approx(1 if first.cancelled() else 2, abs=0.01)


@pytest.mark.parametrize("n", [0, -1, 6])
async def test_more_tokens_than_the_burst_is_a_mistake(n: float) -> None:
    with pytest.raises(ValueError, match="tokens at a time"):
        await TokenBucket(1, 5).wait(n)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 2), st.integers(1, 3), st.booleans()), min_size=1, max_size=20)
)
async def test_in_any_window_no_more_than_burst_plus_rate_passes(
    plan: list[tuple[float, int, bool]],
) -> None:
    rate, burst = 3.0, 3.0
    bucket = TokenBucket(rate, burst)
    passed: list[tuple[float, int]] = []

    async def take(n: int) -> None:
        try:
            await bucket.wait(n)
        except MeshError:
            return
        passed.append((now(), n))

    tasks = []
    for pause, n, cancel in plan:
        await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(take(n)))
        if cancel:
            await asyncio.sleep(0)
            tasks[-1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for i, (begin, _) in enumerate(passed):
        total = 0
        for at, n in passed[i:]:
            total += n
            assert total <= burst + rate * (at - begin) + 1e-3
