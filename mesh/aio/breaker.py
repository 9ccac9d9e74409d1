"""Stop calling a peer that fails, and find out carefully when it is well again.

Closed: calls pass; `failures` failures in a row open it. Open: calls are refused for
`open_seconds`. Half-open: at most `successes` calls at a time pass; `successes` successes close
it, one failure opens it again.

Blocks: never. Cancels: nothing; a cancelled call counts for nothing. Fails: Unavailable
(CIRCUIT_OPEN, with the seconds left) while it is open; otherwise with the call's own error.
Time is event-loop time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

from mesh.errors import Kind, MeshError, Unavailable

T = TypeVar("T")

SICK: frozenset[Kind] = frozenset({Kind.UNAVAILABLE, Kind.DEADLINE, Kind.INTERNAL})
"""Kinds that speak against the peer, as does any error that is no MeshError; the others are its
considered answer."""


class BreakerState(StrEnum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """One circuit breaker, for one peer."""

    def __init__(
        self,
        name: str,
        *,
        failures: int = 10,
        open_seconds: float = 60.0,
        successes: int = 5,
        on_change: Callable[[str, BreakerState], None] | None = None,
    ) -> None:
        self._name = name
        self._max_failures = failures
        self._open_seconds = open_seconds
        self._needed_successes = successes
        self._on_change = on_change
        self._state = BreakerState.CLOSED
        self._failures = 0
        self._successes = 0
        self._probes = 0
        self._opened_at = 0.0
        self._era = 0  # counts changes of state: an answer to a question of an earlier era is old

    @property
    def state(self) -> BreakerState:
        """Return the state as of the last call; an open one turns half-open at the next call."""
        return self._state

    async def run(self, fn: Callable[[], Awaitable[T]]) -> T:
        """Call `fn` if the breaker lets it pass, and learn from the outcome."""
        era = self._admit()
        try:
            result = await fn()
        except Exception as error:
            self._leave(era, ok=isinstance(error, MeshError) and error.kind not in SICK)
            raise
        except BaseException:
            self._leave(era, ok=None)
            raise
        self._leave(era, ok=True)
        return result

    def _admit(self) -> int:
        if self._state is BreakerState.OPEN:
            left = self._opened_at + self._open_seconds - asyncio.get_running_loop().time()
            if left > 0:
                raise self._refusal(left)
            self._turn(BreakerState.HALF_OPEN)
        if self._state is BreakerState.HALF_OPEN:
            if self._probes >= self._needed_successes:
                raise self._refusal(None)
            self._probes += 1
        return self._era

    def _refusal(self, left: float | None) -> Unavailable:
        return Unavailable(
            f"{self._name} is not being called: it failed too often",
            reason="CIRCUIT_OPEN",
            metadata={"peer": self._name},
            retry_after_seconds=left,
        )

    def _leave(self, era: int, *, ok: bool | None) -> None:
        if era != self._era:
            return
        if self._state is BreakerState.HALF_OPEN:
            self._probes -= 1
            self._judge_probe(ok)
        elif ok is True:
            self._failures = 0
        elif ok is False:
            self._failures += 1
            if self._failures >= self._max_failures:
                self._open()

    def _judge_probe(self, ok: bool | None) -> None:
        if ok is True:
            self._successes += 1
            if self._successes >= self._needed_successes:
                self._turn(BreakerState.CLOSED)
        elif ok is False:
            self._open()

    def _open(self) -> None:
        self._opened_at = asyncio.get_running_loop().time()
        self._turn(BreakerState.OPEN)

    def _turn(self, state: BreakerState) -> None:
        self._state = state
        self._era += 1
        self._failures = self._successes = self._probes = 0
        if self._on_change is not None:
            self._on_change(self._name, state)
