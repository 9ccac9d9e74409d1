"""Hand values from task to task, as a Go channel; `capacity` 0 hands them over in person.

Blocks: `send`, while the buffer is full (at capacity 0: until somebody takes the value); `recv`,
while there is nothing. Both are first come, first served, and end with the request's deadline.
Cancels: nothing. A cancelled `recv` has taken nothing: a value handed to it in that very instant
goes back to the front. A cancelled `send` has not sent, unless the value was taken in that very
instant: then it is delivered, once. Fails: ChanClosed for `send` on a closed channel, also for
sends that were waiting, and for `recv` once a closed channel is empty; DeadlineExceeded.
"""

import asyncio
import contextlib
from collections import deque
from typing import Any, Generic, TypeVar

from mesh.aio.context import within

T = TypeVar("T")


class ChanClosed(Exception):
    """The channel is closed; for a receiver: and empty."""


class ChanEmpty(Exception):
    """There is nothing to receive now."""


class Party:
    """One task waiting on one channel; in a select, several parties share one `turn`.

    `turn` resolves to (index, value, ok): which party won, what it received, and False for closed.
    """

    __slots__ = ("index", "turn", "value")

    def __init__(
        self, turn: "asyncio.Future[tuple[int, Any, bool]]", index: int = 0, value: Any = None
    ) -> None:
        self.turn = turn
        self.index = index
        self.value = value


class Chan(Generic[T]):
    """A channel of `T` between tasks of one event loop."""

    def __init__(self, capacity: int = 0) -> None:
        if capacity < 0:
            raise ValueError("a capacity is 0 or more")
        self._capacity = capacity
        self._buffer: deque[T] = deque()
        self.receivers: deque[Party] = deque()
        self.senders: deque[Party] = deque()
        self._closed = False

    def __len__(self) -> int:
        """Return how many values are in the buffer."""
        return len(self._buffer)

    @property
    def closed(self) -> bool:
        """Return whether `close` was called; there may still be values to receive."""
        return self._closed

    def close(self) -> None:
        """Refuse further values; what is in the buffer can still be received. Idempotent."""
        self._closed = True
        for queue in (self.receivers, self.senders):
            while (party := _next(queue)) is not None:
                party.turn.set_result((party.index, None, False))

    def try_send(self, value: T) -> bool:
        """Send without waiting, or return False; raise ChanClosed."""
        if self._closed:
            raise ChanClosed
        receiver = _next(self.receivers)
        if receiver is not None:
            receiver.turn.set_result((receiver.index, value, True))
            return True
        if len(self._buffer) < self._capacity:
            self._buffer.append(value)
            return True
        return False

    def try_recv(self) -> T:
        """Receive without waiting; raise ChanEmpty when there is nothing, ChanClosed at the end."""
        if self._buffer:
            value = self._buffer.popleft()
            if len(self._buffer) < self._capacity and (sender := _next(self.senders)) is not None:
                self._buffer.append(sender.value)
                sender.turn.set_result((sender.index, None, True))
            return value
        if (sender := _next(self.senders)) is not None:
            sender.turn.set_result((sender.index, None, True))
            taken: T = sender.value
            return taken
        raise ChanClosed if self._closed else ChanEmpty

    async def send(self, value: T) -> None:
        """Send, waiting for room or, at capacity 0, for a receiver."""
        if self.try_send(value):
            return
        turn: asyncio.Future[tuple[int, Any, bool]] = asyncio.get_running_loop().create_future()
        party = Party(turn, value=value)
        self.senders.append(party)
        try:
            async with within():
                await turn
        except BaseException:
            leave(self.senders, party)
            raise
        if not turn.result()[2]:
            raise ChanClosed

    async def recv(self) -> T:
        """Receive, waiting for a value."""
        with contextlib.suppress(ChanEmpty):
            return self.try_recv()
        turn: asyncio.Future[tuple[int, Any, bool]] = asyncio.get_running_loop().create_future()
        party = Party(turn)
        self.receivers.append(party)
        try:
            async with within():
                await turn
        except BaseException:
            leave(self.receivers, party)
            if turn.done() and not turn.cancelled() and turn.result()[2]:
                self.put_back(turn.result()[1])
            raise
        _, value, ok = turn.result()
        if not ok:
            raise ChanClosed
        received: T = value
        return received

    def put_back(self, value: T) -> None:
        """Undo a receive: the next receiver gets `value`, before anything sent later.

        For a receiver that was cancelled in the instant it was served. It never waits, so the
        buffer can hold one more than its capacity for a while.
        """
        receiver = _next(self.receivers)
        if receiver is None:
            self._buffer.appendleft(value)
        else:
            receiver.turn.set_result((receiver.index, value, True))

    def __aiter__(self) -> "Chan[T]":
        return self

    async def __anext__(self) -> T:
        try:
            return await self.recv()
        except ChanClosed:
            raise StopAsyncIteration from None


def leave(queue: deque[Party], party: Party) -> None:
    """Take `party` out of `queue`, if it is still there."""
    with contextlib.suppress(ValueError):
        queue.remove(party)


def _next(queue: deque[Party]) -> Party | None:
    """Take the first party that still waits; those whose turn is over are dropped."""
    while queue:
        party = queue.popleft()
        if not party.turn.done():
            return party
    return None
