"""One lock per key, made when asked for and gone when idle.

Blocks: `lock`, while another holds the same key; first come, first served. Cancels: nothing; a
cancelled waiter takes nothing. Fails: DeadlineExceeded when the request's time runs out while
waiting, Exhausted when too many wait for one key already.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Hashable
from typing import Generic, TypeVar

from mesh.aio.context import within
from mesh.errors import Exhausted

K = TypeVar("K", bound=Hashable)


class Keyed(Generic[K]):
    """Locks by key within one process; `max_waiters` is per key."""

    def __init__(self, *, max_waiters: int = 1000) -> None:
        self._max_waiters = max_waiters
        self._waiters: dict[K, deque[asyncio.Future[None]]] = {}  # a key is here while it is held

    def __len__(self) -> int:
        return len(self._waiters)

    def locked(self, key: K) -> bool:
        """Return whether somebody holds `key`."""
        return key in self._waiters

    @contextlib.asynccontextmanager
    async def lock(self, key: K) -> AsyncIterator[None]:
        """Hold `key` for the block."""
        await self._acquire(key)
        try:
            yield
        finally:
            self._pass_on(key)

    async def _acquire(self, key: K) -> None:
        waiters = self._waiters.get(key)
        if waiters is None:
            self._waiters[key] = deque()
            return
        if len(waiters) >= self._max_waiters:
            raise Exhausted("too many wait for the same lock", reason="LOCK_QUEUE_FULL")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters.append(turn)
        try:
            async with within():
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._pass_on(key)  # it became ours in the same instant as the cancel
            else:
                with contextlib.suppress(ValueError):  # `_pass_on` may have dropped it already
                    waiters.remove(turn)
            raise

    def _pass_on(self, key: K) -> None:
        # Handed over directly: between two holders the key is never free for a newcomer.
        waiters = self._waiters[key]
        while waiters:
            turn = waiters.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiters[key]
