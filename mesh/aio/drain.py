"""Own the work that outlives the request that started it, and wait for it at shutdown.

Blocks: `close`, up to the grace and then a second for the cancelled to end. Cancels: at the end of
the grace, whatever still runs; a cancel of `close` itself cancels the work at once. Fails: `spawn`
raises Unavailable after `close`, Exhausted above the limit. An error of a task nobody watches is
logged.
"""

import asyncio
import contextvars
import logging
import weakref
from collections.abc import Coroutine
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from mesh.aio.context import RequestContext, rc, set_context
from mesh.errors import Exhausted, Unavailable

T = TypeVar("T")
_log = logging.getLogger(__name__)
_UNWIND_SECONDS = 1.0


class Drain:
    """Background tasks with an owner, a limit and an end."""

    def __init__(self, *, limit: int = 10_000, grace_seconds: float = 5.0) -> None:
        self._limit = limit
        self._grace_seconds = grace_seconds
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def running(self) -> int:
        """Return how many tasks run now."""
        return len(self._tasks)

    def spawn(
        self,
        coro: Coroutine[Any, Any, T],
        name: str,
        *,
        context: RequestContext | None = None,
        watched: bool = False,
    ) -> asyncio.Task[T]:
        """Start `coro` and own it. It keeps the request's identity and trace, not its deadline.

        `context` replaces that default; `watched` says that the caller looks at the outcome, so
        an error is not logged here. Raise Unavailable or Exhausted, with `coro` closed unrun.
        """
        if self._closed or len(self._tasks) >= self._limit:
            coro.close()
            if self._closed:
                raise Unavailable("shutting down", reason="SHUTTING_DOWN")
            raise Exhausted("too much background work", reason="BACKGROUND_WORK_LIMIT")
        inherited = contextvars.copy_context()
        inherited.run(set_context, context or replace(rc(), deadline=None))
        loop = asyncio.get_running_loop()
        task = loop.create_task(coro, name=name, context=inherited)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if not watched:
            task.add_done_callback(log_failure)
        return task

    async def close(self, grace_seconds: float | None = None) -> None:
        """Let the work finish for `grace_seconds`, then cancel it and refuse more.

        Work may still start other work during the grace.
        """
        grace = self._grace_seconds if grace_seconds is None else grace_seconds
        loop = asyncio.get_running_loop()
        end = loop.time() + grace
        try:
            while self._tasks and (left := end - loop.time()) > 0:
                await asyncio.wait(self._tasks, timeout=left)
        finally:
            self._closed = True
            await self._cancel_all()

    async def _cancel_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_UNWIND_SECONDS)
        for task in self._tasks:
            _log.error("background task %r ignores its cancel", task.get_name())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def log_failure(task: asyncio.Task[Any]) -> None:
    """Log the error of a task that ended and that nobody awaits."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("background task %r failed", task.get_name(), exc_info=error)


_of_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Drain] = weakref.WeakKeyDictionary()


def loop_drain() -> Drain:
    """Return the running loop's own Drain, for `finish` and `SingleFlight`.

    `mesh.app` closes it last, when the servers have stopped.
    """
    loop = asyncio.get_running_loop()
    drain = _of_loop.get(loop)
    if drain is None:
        drain = _of_loop[loop] = Drain()
    return drain
