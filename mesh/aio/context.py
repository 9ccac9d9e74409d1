"""What belongs to one request, and the one deadline everything below it obeys.

The server interceptor sets a `RequestContext`, the client interceptor sends it on, and tasks
inherit it. Nothing here blocks; `within` cancels its body when the time is up.
"""

import asyncio
import contextlib
import contextvars
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from types import TracebackType
from typing import Self

from mesh.clock import epoch_ms
from mesh.errors import DeadlineExceeded, Unauthenticated


class Priority(IntEnum):
    """Who is served first under overload; the lower the number, the later it is shed."""

    CRITICAL = 0
    """Money and promises: captures, webhooks, confirmations."""
    NORMAL = 1
    SHEDDABLE = 2
    """Work somebody will repeat or not miss: prefetches, suggestions, batch."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The user on whose behalf the call runs, as proven by a token."""

    user_id: str
    roles: frozenset[str] = frozenset()
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The W3C trace position of the call; all zeros when there is no trace."""

    trace_id: str = "0" * 32
    span_id: str = "0" * 16
    sampled: bool = False

    @property
    def traceparent(self) -> str:
        """Return the value of the W3C `traceparent` header."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"

    @classmethod
    def parse(cls, traceparent: str) -> Self | None:
        """Read a W3C `traceparent` header; None when it is malformed or all zeros."""
        match = _TRACEPARENT.fullmatch(traceparent.strip())
        if match is None or not int(match[1], 16) or not int(match[2], 16):
            return None
        return cls(match[1], match[2], bool(int(match[3], 16) & 1))


_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


@dataclass(frozen=True, slots=True)
class IdempotentCall:
    """The client's key, and how often the call has failed before under it (0 at first)."""

    key: str
    attempt: int
    first_seen: datetime

    @property
    def first_seen_ms(self) -> int:
        """Return when the key was first seen, in milliseconds since 1970 (for `derive_id`)."""
        return epoch_ms(self.first_seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """Everything that travels with a call. `deadline` is event-loop time; None is no limit."""

    deadline: float | None = None
    principal: Principal | None = None
    service: str | None = None
    """The service that calls us, proven by its own token."""
    trace: TraceContext = field(default=TraceContext())
    priority: Priority = Priority.NORMAL
    request_id: str = ""
    idempotency: IdempotentCall | None = None
    token: str | None = field(default=None, repr=False)
    """The user's bearer token, to be forwarded on hops made on the user's behalf."""


_EMPTY = RequestContext()
_current: contextvars.ContextVar[RequestContext] = contextvars.ContextVar(
    "staymesh_request", default=_EMPTY
)


def rc() -> RequestContext:
    """Return the context of the running request; an empty one outside any request."""
    return _current.get()


def set_context(context: RequestContext) -> None:
    """Set the context for the rest of the running task: for the owner of that task."""
    _current.set(context)


@contextlib.contextmanager
def use_context(context: RequestContext) -> Iterator[RequestContext]:
    """Run a block under `context`: for interceptors, consumers and tests.

    It does not arm a timer; `within` does.
    """
    reset = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(reset)


def require_user() -> Principal:
    """Return the calling user; raise Unauthenticated when the call has none."""
    principal = _current.get().principal
    if principal is None:
        raise Unauthenticated("a user must be signed in", reason="USER_REQUIRED")
    return principal


def remaining() -> float | None:
    """Return the seconds left to the running request, 0.0 or more; None is no limit."""
    deadline = _current.get().deadline
    if deadline is None:
        return None
    return max(0.0, deadline - asyncio.get_running_loop().time())


class within:  # noqa: N801  (it reads as a keyword: `async with within(0.2):`)
    """Give the block at most `seconds`; the request's own deadline can only shorten that.

    Blocks: no. Cancels: the block, when the time is up. Fails: DeadlineExceeded when this scope's
    time ran out, at once on entry if none is left. A cancel from outside is never converted, also
    when it comes together with the timeout. A block that catches the cancel and ends normally
    ends normally. `within(None)` enforces the request's deadline alone.
    """

    __slots__ = ("_reset", "_seconds", "_timeout")

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._timeout: asyncio.Timeout | None = None

    async def __aenter__(self) -> RequestContext:
        context = _current.get()
        now = asyncio.get_running_loop().time()
        deadline = context.deadline
        if self._seconds is not None:
            own = now + self._seconds
            deadline = own if deadline is None else min(deadline, own)
        if deadline is not None:
            if deadline <= now:
                raise DeadlineExceeded("no time was left to start")
            self._timeout = asyncio.timeout_at(deadline)
            await self._timeout.__aenter__()
            context = replace(context, deadline=deadline)
        self._reset = _current.set(context)
        return context

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _current.reset(self._reset)
        if self._timeout is None:
            return
        try:
            await self._timeout.__aexit__(exc_type, exc, traceback)
        except TimeoutError:
            # Raised by the scope itself; a TimeoutError of the block never passes here.
            raise DeadlineExceeded("the time given ran out") from exc
