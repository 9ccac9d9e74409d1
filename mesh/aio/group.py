"""Run tasks together and leave together, as golang.org/x/sync/errgroup.

Blocks: `go` while `limit` tasks run, and the end of the block until every task has ended.
Cancels: the first error, of a task or of the block, cancels all the rest; so does a cancel from
outside. Fails: with the first error **itself**, not an ExceptionGroup; later errors become notes
on it. A cancel from outside wins over any error and always goes on.

Why not asyncio.TaskGroup: it wraps even a single error, and before 3.13 nested groups lose a
parent's cancel that comes together with a task's error (it counts `uncancel()` down to zero, not
to what it was on entry). With an error and an outside cancel it prefers the error, after which the
caller runs on although it was told to stop.

A task that starts others with `await group.go(...)` in a full group can wait for itself, as in Go.
"""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from mesh.aio.semaphore import Semaphore

T = TypeVar("T")


def asked_to_cancel() -> bool:
    """Return whether somebody cancelled the running task.

    If not, a CancelledError in it means that what it awaited was cancelled, as a dead RPC is.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Group:
    """Own a set of tasks; no task outlives the `async with` block."""

    def __init__(self, limit: int | None = None) -> None:
        self._slots = None if limit is None else Semaphore(limit)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._parent: asyncio.Task[Any] | None = None
        self._in_block = False
        self._stopping = False
        self._error: BaseException | None = None
        self._cancelled_parent = False
        self._idle: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        if self._parent is not None:
            raise RuntimeError("a Group is entered once")
        self._parent = asyncio.current_task()
        if self._parent is None:
            raise RuntimeError("a Group needs a task to live in")
        self._cancels_on_entry = self._parent.cancelling()
        self._in_block = True
        return self

    async def go(self, coro: Coroutine[Any, Any, T], *, name: str | None = None) -> asyncio.Task[T]:
        """Start `coro` as a task of the group, waiting for a slot when there is a limit.

        Return the task; its result may be read after the block. Raise RuntimeError when the group
        is stopping or over; `coro` is closed whenever it is not started.
        """
        try:
            if self._slots is not None:
                await self._slots.acquire()
            return self._start(coro, name)
        except BaseException:
            coro.close()
            raise

    def try_go(
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None
    ) -> asyncio.Task[T] | None:
        """Start `coro` if there is a slot now; otherwise close it unrun and return None."""
        if self._slots is not None and not self._slots.try_acquire():
            coro.close()
            return None
        try:
            return self._start(coro, name)
        except BaseException:
            coro.close()
            raise

    def cancel(self) -> None:
        """Cancel every task; the block itself goes on. That a task was cancelled is no error."""
        if self._stopping:
            return  # a second cancel would tear their cleanup
        self._stopping = True
        for task in self._tasks:
            task.cancel()

    def _start(self, coro: Coroutine[Any, Any, T], name: str | None) -> asyncio.Task[T]:
        if self._stopping or not (self._in_block or self._tasks):
            if self._slots is not None:
                self._slots.release()
            raise RuntimeError("the Group takes no more tasks")
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if self._slots is not None:
            self._slots.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
        if not self._tasks and self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if self._error is not None:
            if error is not self._error:
                self._error.add_note(f"then failed, in the same group: {error!r}")
            return
        self._error = error
        already_stopping = self._stopping
        self.cancel()
        if self._in_block and not already_stopping:
            assert self._parent is not None
            self._cancelled_parent = True
            self._parent.cancel()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._parent is not None
        self._in_block = False
        cancel = exc if isinstance(exc, asyncio.CancelledError) else None
        if exc is not None:
            if cancel is None:
                self._fail(exc)
            self.cancel()
        cancel = await self._all_ended() or cancel
        if self._cancelled_parent:
            self._parent.uncancel()
            if self._parent.cancelling() <= self._cancels_on_entry:
                cancel = None  # the only cancel there was is our own
        error, self._error = self._error, None
        try:
            if cancel is not None:
                if cancel is not exc or error is not None:
                    raise cancel from error
            elif error is not None and error is not exc:
                raise error
        finally:
            del error, cancel  # an exception that its own frame holds is a cycle

    async def _all_ended(self) -> asyncio.CancelledError | None:
        cancel: asyncio.CancelledError | None = None
        while self._tasks:
            self._idle = asyncio.get_running_loop().create_future()
            try:
                await self._idle
            except asyncio.CancelledError as error:
                cancel = error
                self.cancel()
        return cancel
