"""A token bucket that says no at once when the answer would come too late.

Blocks: `wait`, until the tokens are there and everybody before has been served. Cancels: nothing;
a cancelled waiter takes no tokens. Fails: Exhausted, at once, with the seconds to come back after,
when the wait would outlast the request's deadline or `max_wait_seconds`.
"""

import asyncio
import contextlib
from collections import deque

from mesh.aio.context import remaining
from mesh.errors import Exhausted

_TOLERANCE = 1e-9  # of a token: what sums of floats lose
_TICK_SECONDS = 0.001  # the resolution of loop timers; a shorter sleep would spin


class TokenBucket:
    """Let `rate_per_second` tokens through, and bursts of up to `burst`; it starts full."""

    def __init__(
        self, rate_per_second: float, burst: float, *, max_wait_seconds: float = 60.0
    ) -> None:
        if rate_per_second <= 0 or burst <= 0:
            raise ValueError("rate and burst are more than zero")
        self._rate = rate_per_second
        self._burst = burst
        self._max_wait_seconds = max_wait_seconds
        self._level = burst
        self._filled_at: float | None = None
        self._queue: deque[tuple[asyncio.Future[None], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Return how many are waiting."""
        return len(self._queue)

    def try_take(self, n: float = 1.0) -> bool:
        """Take `n` tokens now, or nothing and return False; never overtakes a waiter."""
        self._check(n)
        self._fill()
        if self._queue or self._level + _TOLERANCE < n:
            return False
        self._level = max(0.0, self._level - n)
        return True

    async def wait(self, n: float = 1.0) -> None:
        """Take `n` tokens, waiting for them if there is time; see the module for the refusal."""
        if self.try_take(n):
            return
        seconds = (sum(ahead for _, ahead in self._queue) + n - self._level) / self._rate
        left = remaining()
        if seconds > (
            self._max_wait_seconds if left is None else min(left, self._max_wait_seconds)
        ):
            raise Exhausted("too many requests", reason="RATE_LIMITED", retry_after_seconds=seconds)
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (granted, n)
        self._queue.append(entry)
        self._serve()
        try:
            await granted
        except BaseException:
            if granted.done() and not granted.cancelled():
                self._level = min(self._burst, self._level + n)
            else:
                with contextlib.suppress(ValueError):  # `_serve` may have dropped it already
                    self._queue.remove(entry)
            self._serve()
            raise

    def _check(self, n: float) -> None:
        if not 0 < n <= self._burst:
            raise ValueError(f"from 0 to {self._burst} tokens at a time, not {n}")

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._filled_at is not None:
            self._level = min(self._burst, self._level + (now - self._filled_at) * self._rate)
        self._filled_at = now

    def _serve(self) -> None:
        """Serve the head of the queue while there are tokens, and wake up for the next."""
        self._fill()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            granted, n = self._queue[0]
            if not granted.cancelled():
                if self._level + _TOLERANCE < n:
                    delay = max(_TICK_SECONDS, (n - self._level) / self._rate)
                    self._timer = asyncio.get_running_loop().call_later(delay, self._serve)
                    return
                self._level = max(0.0, self._level - n)
                granted.set_result(None)
            self._queue.popleft()
