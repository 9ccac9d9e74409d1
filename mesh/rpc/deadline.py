"""One deadline: it comes with the call, is capped by the policy, and a little is kept back."""

import asyncio
from types import TracebackType

from mesh.errors import DeadlineExceeded

SHAVED_SECONDS = 0.005
"""Kept back, so that our own answer about the time reaches the caller before its time is up."""
SCRAP_SECONDS = 0.002
"""Less than this is not worth starting with."""


def limit_of(remaining: float | None, longest: float) -> float:
    """Return the seconds a call gets. Raise DeadlineExceeded when hardly any are left.

    `remaining` is what the caller gives (None: no limit), `longest` what the policy allows.
    """
    if remaining is None:
        return longest
    left = remaining - SHAVED_SECONDS
    if left < SCRAP_SECONDS:
        raise DeadlineExceeded("too little time was left to start")
    return min(left, longest)


def sendable(seconds: float) -> float:
    """Return `seconds` rounded down to what gRPC can say, which it would otherwise round up.

    A timeout travels in steps of 1 ms below a second, then 10 ms, then 100 ms from ten seconds on
    (src/core/lib/transport/timeout_encoding.cc); rounded up, a deadline could grow from hop to hop.
    """
    steps_a_second = 1000 if seconds < 1 else 100 if seconds < 10 else 10
    return int(seconds * steps_a_second) / steps_a_second


class until:  # noqa: N801  (it reads as a keyword: `with until(deadline):`)
    """Cancel the block at `deadline` (event-loop time) and raise DeadlineExceeded then.

    As `mesh.aio.within`, for the owner of a request's context, who has set the deadline there. The
    rules are those of `asyncio.timeout_at` (a cancel from outside is never converted); it is
    written out here because it is on the path of every call, and this is a third of the work.
    """

    __slots__ = ("_cancelling", "_deadline", "_expired", "_task", "_timer")

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._expired = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._timer = asyncio.get_running_loop().call_at(self._deadline, self._expire)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if not self._expired:
            return
        if self._task.uncancel() <= self._cancelling and exc_type is asyncio.CancelledError:
            raise DeadlineExceeded("the time given ran out") from exc

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()
