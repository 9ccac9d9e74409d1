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


class until:  # noqa: N801  (it reads as a keyword: `async with until(deadline):`)
    """Cancel the block at `deadline` (event-loop time) and raise DeadlineExceeded then.

    As `mesh.aio.within`, for the owner of a request's context, who has set the deadline there.
    """

    __slots__ = ("_timeout",)

    def __init__(self, deadline: float) -> None:
        self._timeout = asyncio.timeout_at(deadline)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._timeout.__aexit__(exc_type, exc, traceback)
        except TimeoutError:
            raise DeadlineExceeded("the time given ran out") from exc
