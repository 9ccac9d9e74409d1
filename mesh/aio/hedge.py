"""Ask a second time when the first answer is late, and take whichever comes first.

Only for reads that may safely run twice. Blocks: until the first success. Cancels: the losers,
and returns when they have ended; everything when the caller is cancelled. Fails: at once with an
error that another try would not cure; with the first error when every try has failed.

gRPC calls this hedging; grpcio silently ignores its hedgingPolicy, so it is done here.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from typing import Generic, TypeVar

from mesh.aio.group import Group, asked_to_cancel
from mesh.errors import Cancelled, Kind, MeshError

T = TypeVar("T")


class HedgeBudget:
    """Limit the extra calls to a share of the calls.

    Each call earns `ratio` of an extra one; `burst` can be saved up. So when everything is slow,
    load grows by `ratio` and not by the factor n.
    """

    def __init__(self, ratio: float = 0.05, burst: float = 10.0) -> None:
        self._ratio = ratio
        self._burst = burst
        self._saved = burst

    @property
    def saved(self) -> float:
        """Return how many extra calls may be made now."""
        return self._saved

    def earn(self) -> None:
        """Count one call."""
        self._saved = min(self._burst, self._saved + self._ratio)

    def try_spend(self) -> bool:
        """Take one extra call, or return False."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True


async def hedge(
    fn: Callable[[], Awaitable[T]],
    delay: float,
    n: int = 2,
    budget: HedgeBudget | None = None,
    *,
    kinds: Collection[Kind] = (Kind.UNAVAILABLE,),
) -> T:
    """Call `fn`; while there is no answer, call it again every `delay` seconds, `n` times in all.

    A try that fails with one of `kinds` brings the next one forward; `budget` can refuse the extra
    tries, and then the ones that run are waited for.
    """
    if n < 1 or delay < 0:
        raise ValueError("at least one try, and a delay of 0 seconds or more")
    if budget is not None:
        budget.earn()
    race = _Race[T](fn, kinds)
    async with Group() as group:
        await race.start(group)
        for _ in range(n - 1):
            await race.pause(delay)
            if race.won or (budget is not None and not budget.try_spend()):
                break
            await race.start(group)
        await race.settled()
        group.cancel()
    return race.answer()


class _Race(Generic[T]):
    def __init__(self, fn: Callable[[], Awaitable[T]], kinds: Collection[Kind]) -> None:
        self._fn = fn
        self._kinds = kinds
        self._running = 0
        self._answers: list[T] = []
        self._error: MeshError | None = None
        self._news = asyncio.Event()

    @property
    def won(self) -> bool:
        return bool(self._answers)

    async def start(self, group: Group) -> None:
        self._running += 1
        self._news.clear()
        await group.go(self._run(), name="hedge")

    async def _run(self) -> None:
        try:
            self._answers.append(await self._fn())
        except asyncio.CancelledError as error:
            if asked_to_cancel():
                raise
            raise Cancelled("the call was cancelled") from error
        except Exception as error:
            if self.won:
                return  # a loser's complaint
            if not isinstance(error, MeshError) or error.kind not in self._kinds:
                raise
            self._error = self._error or error
        finally:
            self._running -= 1
            self._news.set()

    async def pause(self, delay: float) -> None:
        """Wait `delay` seconds, or less when a try ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._news.wait()

    async def settled(self) -> None:
        """Wait for the first answer, or for every try to have failed."""
        while not self.won and self._running:
            self._news.clear()
            await self._news.wait()

    def answer(self) -> T:
        if self._answers:
            return self._answers[0]
        assert self._error is not None
        raise self._error
