"""Try again with growing, random pauses, and only while retries help the whole system.

Blocks: for the tries and the pauses between them. Cancels: nothing. Fails: with the last error
when it is not of a kind worth retrying, when the tries or the budget are used up, or at once when
the pause would outlast the request's deadline, or the peer asks for a longer one than the cap.

The pause is "full jitter": uniform between 0 and min(cap, base * 2^try) (Amazon Builders' Library,
"Timeouts, retries, and backoff with jitter"). The budget is gRPC's retry throttling (proposal A6).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from mesh.aio.context import remaining
from mesh.errors import Kind, MeshError

T = TypeVar("T")


class RetryBudget:
    """Tokens shared by all calls to one peer: a failure costs 1, a success earns `ratio`.

    Retries are allowed while more than half the tokens are left, so when most calls fail, retries
    stop and the peer is not buried.
    """

    def __init__(self, max_tokens: float = 10.0, ratio: float = 0.1) -> None:
        if max_tokens <= 0 or ratio <= 0:
            raise ValueError("tokens and ratio are more than zero")
        self._max = max_tokens
        self._ratio = ratio
        self._tokens = max_tokens

    @property
    def tokens(self) -> float:
        """Return the tokens left, from 0 to `max_tokens`."""
        return self._tokens

    def on_success(self) -> None:
        """Count a call that succeeded."""
        self._tokens = min(self._max, self._tokens + self._ratio)

    def on_failure(self) -> None:
        """Count a try that failed with a retryable kind."""
        self._tokens = max(0.0, self._tokens - 1.0)

    def allows(self) -> bool:
        """Return whether a retry may be made now."""
        return self._tokens > self._max / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A policy: at most `attempts` tries in all, for errors of `kinds` only."""

    attempts: int = 3
    base_seconds: float = 0.05
    cap_seconds: float = 1.0
    kinds: frozenset[Kind] = frozenset({Kind.UNAVAILABLE})
    budget: RetryBudget | None = None
    random: Callable[[], float] = random.random
    """Uniform in [0, 1); a seeded one makes a run repeatable."""

    async def run(self, fn: Callable[[], Awaitable[T]]) -> T:
        """Call `fn` until it succeeds or the policy gives up."""
        attempt = 1
        while True:
            try:
                result = await fn()
            except MeshError as error:
                pause = self._pause_after(error, attempt)
                if pause is None:
                    raise
            else:
                if self.budget is not None:
                    self.budget.on_success()
                return result
            await asyncio.sleep(pause)
            attempt += 1

    def _pause_after(self, error: MeshError, attempt: int) -> float | None:
        """Return the seconds to wait before the next try; None is to give up."""
        if error.kind not in self.kinds:
            return None
        if self.budget is not None:
            self.budget.on_failure()
            if not self.budget.allows():
                return None
        if attempt >= self.attempts:
            return None
        pause = self.backoff_seconds(attempt)
        if error.retry_after_seconds is not None:
            if error.retry_after_seconds > self.cap_seconds:
                return None
            pause = max(pause, error.retry_after_seconds)
        left = remaining()
        return None if left is not None and pause >= left else pause

    def backoff_seconds(self, attempt: int) -> float:
        """Draw the pause after the given try (1 is the first)."""
        return self.random() * min(self.cap_seconds, self.base_seconds * 2.0 ** (attempt - 1))
