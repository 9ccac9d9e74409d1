import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mesh.aio import HedgeBudget, hedge, within
from mesh.errors import Cancelled, DeadlineExceeded, NotFound, Unavailable


def now() -> float:
    return asyncio.get_running_loop().time()


class Peer:
    """Answers its calls by a script of (seconds, answer or error), and counts."""

    def __init__(self, *script: tuple[float, str | BaseException]) -> None:
        self._script = script
        self.calls = 0
        self.cancelled = 0

    async def __call__(self) -> str:
        seconds, outcome = self._script[self.calls]
        self.calls += 1
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


async def test_a_fast_answer_makes_one_call() -> None:
    peer = Peer((0.1, "first"))
    assert await hedge(peer, 1) == "first"
    assert peer.calls == 1


async def test_a_late_answer_is_overtaken_and_cancelled() -> None:
    start = now()
    peer = Peer((100, "slow"), (0.5, "second"))
    assert await hedge(peer, 1) == "second"
    assert now() - start == pytest.approx(1.5)
    assert (peer.calls, peer.cancelled) == (2, 1)


async def test_the_first_may_still_win() -> None:
    peer = Peer((1.2, "first"), (50, "second"))
    assert await hedge(peer, 1) == "first"
    assert peer.cancelled == 1


async def test_never_more_than_n_calls() -> None:
    peer = Peer(*[(100.0, str(i)) for i in range(9)])
    with pytest.raises(DeadlineExceeded):
        async with within(50):
            await hedge(peer, 1, n=3)
    assert (peer.calls, peer.cancelled) == (3, 3)


async def test_a_curable_failure_brings_the_next_try_forward() -> None:
    start = now()
    peer = Peer((0.1, Unavailable("down")), (0.1, "second"))
    assert await hedge(peer, 10) == "second"
    assert now() - start == pytest.approx(0.2)


async def test_an_incurable_failure_ends_it_at_once() -> None:
    peer = Peer((100, "slow"), (1, NotFound("gone")))
    with pytest.raises(NotFound):
        await hedge(peer, 1)
    assert peer.cancelled == 1


async def test_when_every_try_fails_the_first_error_is_raised() -> None:
    first = Unavailable("first")
    peer = Peer((2, first), (5, Unavailable("second")))
    with pytest.raises(Unavailable) as caught:
        await hedge(peer, 3)
    assert caught.value is first


async def test_a_dead_rpc_is_an_error_not_a_cancel_of_ours() -> None:
    peer = Peer((0, asyncio.CancelledError()))
    with pytest.raises(Cancelled):
        await hedge(peer, 1)


async def test_a_losers_complaint_does_not_spoil_the_answer() -> None:
    tries = 0

    async def peer() -> str:
        nonlocal tries
        tries += 1
        if tries == 2:
            return "second"
        try:
            return await asyncio.sleep(100, "slow")
        finally:
            raise ConnectionError("torn by the cancel")

    assert await hedge(peer, 1) == "second"


async def test_without_budget_the_first_call_is_waited_for() -> None:
    budget = HedgeBudget(ratio=0.5, burst=0)
    peer = Peer((9, "first"))
    assert await hedge(peer, 1, budget=budget) == "first"
    assert peer.calls == 1


async def test_when_everything_is_slow_extra_calls_stay_a_share_of_the_calls() -> None:
    budget = HedgeBudget(ratio=0.05, burst=2)
    calls = 0

    async def slow() -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(3)

    for _ in range(200):
        await hedge(slow, 1, budget=budget)
    assert calls <= 200 * 1.05 + 2


@pytest.mark.parametrize(("delay", "n"), [(1, 0), (-1, 2)])
async def test_nonsense_is_refused(delay: float, n: int) -> None:
    peer: Callable[[], Awaitable[str]] = Peer((0, "x"))
    with pytest.raises(ValueError, match="at least one try"):
        await hedge(peer, delay, n)
