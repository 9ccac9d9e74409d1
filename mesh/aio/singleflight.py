"""Do a piece of work once for all who ask for it at the same time.

Blocks: `do`, until the shared work ends. Cancels: a cancelled caller only leaves; the last one to
leave cancels the work, and the next caller starts anew. Fails: everybody with the work's error;
Unavailable when the work itself was cancelled, as by shutdown.

The work is a task of its own with its own limit. It sees the request context of the caller that
started it (identity, trace), but not that caller's deadline, because others wait for it too. So
share only what does not depend on who asks, or put who asks into the key.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from typing import Generic, TypeVar

from mesh.aio.context import rc, within
from mesh.aio.drain import log_failure, loop_drain
from mesh.errors import Unavailable

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class _Flight(Generic[T]):
    __slots__ = ("task", "waiters")

    def __init__(self, task: asyncio.Task[T]) -> None:
        self.task = task
        self.waiters = 0


class SingleFlight(Generic[K, T]):
    """Shared calls by key, each at most `limit_seconds` long; nothing is kept after the answer."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._flights: dict[K, _Flight[T]] = {}

    @property
    def flying(self) -> int:
        """Return how many keys are being worked on."""
        return len(self._flights)

    async def do(self, key: K, fn: Callable[[], Awaitable[T]]) -> T:
        """Return the answer of the running call for `key`, or start `fn` for it."""
        flight = self._flights.get(key)
        if flight is None or flight.task.done():
            flight = self._take_off(key, fn)
        flight.waiters += 1
        try:
            while not flight.task.done():
                await asyncio.wait((flight.task,))
        except asyncio.CancelledError:
            flight.waiters -= 1
            if not flight.waiters:
                self._abandon(key, flight)
            raise
        flight.waiters -= 1
        if flight.task.cancelled():
            raise Unavailable("the work was cancelled", reason="WORK_CANCELLED")
        return flight.task.result()

    def _take_off(self, key: K, fn: Callable[[], Awaitable[T]]) -> _Flight[T]:
        deadline = asyncio.get_running_loop().time() + self._limit_seconds
        task = loop_drain().spawn(
            _bounded(fn),
            f"single flight {key!r}",
            context=replace(rc(), deadline=deadline),
            watched=True,
        )
        flight = self._flights[key] = _Flight(task)
        task.add_done_callback(lambda _: self._land(key, flight))
        return flight

    def _abandon(self, key: K, flight: _Flight[T]) -> None:
        self._land(key, flight)
        flight.task.add_done_callback(log_failure)
        flight.task.cancel()

    def _land(self, key: K, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _bounded(fn: Callable[[], Awaitable[T]]) -> T:
    async with within():
        return await fn()
