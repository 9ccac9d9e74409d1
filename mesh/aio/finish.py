"""Let a step that must not be torn (a COMMIT) end before a cancel goes on.

Blocks: until the work has ended. Cancels: a cancel of the caller reaches it only when the work has
ended or `limit` seconds have passed since the start; the work is cancelled only by that limit,
which takes the place of the request's deadline inside it. Fails: with the work's own error,
DeadlineExceeded at the limit, Unavailable when the work itself was cancelled, as by
shutdown.

The work is a task of the loop's Drain, so it is owned even when the caller had to leave.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from mesh.aio.context import rc, within
from mesh.aio.drain import log_failure, loop_drain
from mesh.errors import Unavailable

T = TypeVar("T")


async def finish(coro: Coroutine[Any, Any, T], limit: float = 2.0) -> T:
    """Run `coro` to its end, within `limit` seconds, whatever happens to the caller meanwhile."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    context = replace(rc(), deadline=end)
    try:
        task = loop_drain().spawn(_bounded(coro), "finish", context=context, watched=True)
    except BaseException:
        coro.close()
        raise
    task.add_done_callback(lambda _: coro.close())  # it may end before it has begun
    cancel: asyncio.CancelledError | None = None
    while not task.done():
        left = None if cancel is None else end - loop.time()
        if left is not None and left <= 0:
            break
        try:
            await asyncio.wait((task,), timeout=left)
        except asyncio.CancelledError as error:
            cancel = error
    if cancel is not None:
        task.add_done_callback(log_failure)
        raise cancel
    if task.cancelled():
        raise Unavailable("the work was cancelled", reason="WORK_CANCELLED")
    return task.result()


async def _bounded(coro: Coroutine[Any, Any, T]) -> T:
    async with within():
        return await coro
