"""A weighted, first-come semaphore, as golang.org/x/sync/semaphore.

Blocks: `acquire`, until the weight is free and everybody before has been served; a heavy waiter
at the head holds back light ones, so nobody starves. Cancels: nothing; a cancelled waiter takes
nothing. Fails: DeadlineExceeded when the request's time runs out while waiting; ValueError when
the weight can never fit.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from mesh.aio.context import within


class Semaphore:
    """At most `size` units of weight are held at once."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError("a semaphore has room for one at least")
        self._size = size
        self._free = size
        self._waiters: deque[tuple[asyncio.Future[None], int]] = deque()

    @property
    def free(self) -> int:
        """Return the units nobody holds."""
        return self._free

    @property
    def waiting(self) -> int:
        """Return how many are waiting."""
        return len(self._waiters)

    def try_acquire(self, weight: int = 1) -> bool:
        """Take `weight` units now, or nothing and return False; never overtakes a waiter."""
        self._check(weight)
        if self._waiters or weight > self._free:
            return False
        self._free -= weight
        return True

    async def acquire(self, weight: int = 1) -> None:
        """Take `weight` units, waiting for them within the request's deadline."""
        if self.try_acquire(weight):
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (granted, weight)
        self._waiters.append(entry)
        try:
            async with within():
                await granted
        except BaseException:
            if granted.done() and not granted.cancelled():
                self.release(weight)  # granted in the same instant as the cancel
            else:
                self._leave(entry)
            raise

    def release(self, weight: int = 1) -> None:
        """Give `weight` units back; raise ValueError when more comes back than was taken."""
        if self._free + weight > self._size:
            raise ValueError("released more than was acquired")
        self._free += weight
        self._grant()

    @contextlib.asynccontextmanager
    async def hold(self, weight: int = 1) -> AsyncIterator[None]:
        """Hold `weight` units for the block."""
        await self.acquire(weight)
        try:
            yield
        finally:
            self.release(weight)

    def _check(self, weight: int) -> None:
        if not 1 <= weight <= self._size:
            raise ValueError(f"a weight is between 1 and {self._size}, not {weight}")

    def _leave(self, entry: tuple[asyncio.Future[None], int]) -> None:
        with contextlib.suppress(ValueError):  # `_grant` may have dropped it already
            self._waiters.remove(entry)
        self._grant()

    def _grant(self) -> None:
        while self._waiters:
            granted, weight = self._waiters[0]
            if granted.cancelled():
                self._waiters.popleft()
            elif weight <= self._free:
                self._waiters.popleft()
                self._free -= weight
                granted.set_result(None)
            else:
                return
