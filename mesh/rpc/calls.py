"""One call to another service: what is sent with it, and what comes back as our errors.

A call gets what remains of the request's deadline, at most what the method's policy allows. The
user's token, the request id and the trace go along, and our own service token.
"""

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, Self

import grpc
from google.protobuf.message import Message
from opentelemetry.trace import Span

from mesh.aio.breaker import Breaker
from mesh.aio.context import RequestContext, rc, remaining
from mesh.aio.retry import Retry
from mesh.errors import DeadlineExceeded, Kind, MeshError, Unavailable
from mesh.rpc.auth import AUTHORIZATION, SERVICE_HEADER
from mesh.rpc.cancel import being_cancelled
from mesh.rpc.deadline import sendable
from mesh.rpc.headers import REQUEST_ID, TRACEPARENT
from mesh.rpc.identity import ServiceIdentity
from mesh.rpc.metrics import CALLED, MethodMetrics
from mesh.rpc.policy import MethodPolicy, policy_of
from mesh.rpc.status import from_rpc_error, is_detailed
from mesh.rpc.tracing import Tracing, end

Metadata = Iterable[tuple[str, str | bytes]]
_FOREIGN_DEADLINE_SECONDS = 10.0


class CallClosed(Unavailable):
    """The channel was closed under the call; grpc.aio says so by a cancel that nobody sent."""

    reason = "CALL_CLOSED"


class PeerEnded(Unavailable):
    """The peer dropped the call, unanswered: it was ending. Whether it did the work is unknown."""

    reason = "PEER_ENDED"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another service as we call it: who we are to it, and what we know of its health."""

    name: str
    identity: ServiceIdentity | None
    tracing: Tracing
    retry: Retry
    breaker: Breaker


class _Method:
    """What both shapes of call share."""

    def __init__(self, inner: Any, method: str, peer: Peer) -> None:
        self._inner = inner
        self._method = method
        self._peer = peer
        policy: MethodPolicy | None = policy_of(method)
        self._longest = policy.max_deadline_seconds if policy else _FOREIGN_DEADLINE_SECONDS
        self._retry_safe = policy is not None and policy.retry_safe
        self._metrics = CALLED.of(method)

    def _seconds(self, timeout: float | None) -> float:
        """Return the seconds this call gets. Raise DeadlineExceeded when none are left."""
        seconds = self._longest if timeout is None else min(timeout, self._longest)
        left = remaining()
        seconds = sendable(seconds if left is None else min(seconds, left))
        if seconds <= 0:
            raise DeadlineExceeded("no time was left to call")
        return seconds

    def _headers(
        self, context: RequestContext, traceparent: str, extra: Metadata
    ) -> tuple[tuple[str, str | bytes], ...]:
        headers: list[tuple[str, str | bytes]] = [(TRACEPARENT, traceparent), *extra]
        if context.request_id:
            headers.append((REQUEST_ID, context.request_id))
        if context.token is not None:
            headers.append((AUTHORIZATION, f"Bearer {context.token}"))
        if self._peer.identity is not None:
            headers.append((SERVICE_HEADER, self._peer.identity.token()))
        return tuple(headers)


class UnaryMethod(_Method):
    """A method with one answer."""

    def __init__(self, inner: Any, method: str, peer: Peer, *, stream: bool = False) -> None:
        super().__init__(inner, method, peer)
        self._retry_safe = self._retry_safe and not stream

    async def __call__(
        self,
        request: Message | AsyncIterable[Message],
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> Any:
        """Call and return the answer.

        `timeout` (seconds) can only shorten the request's deadline; `metadata` is sent besides
        what always is. Raise the peer's error as it raised it, Unavailable when it cannot be
        reached, DeadlineExceeded when the time is up. A cancel cancels the call at the peer.
        """

        once = partial(self._once, request, timeout, metadata)
        if self._retry_safe:
            return await self._peer.retry.run(partial(self._peer.breaker.run, once))
        return await self._peer.breaker.run(once)

    async def _once(self, request: Any, timeout: float | None, extra: Metadata) -> Any:
        context = rc()
        seconds = self._seconds(timeout)
        trace, span = self._peer.tracing.call(self._method, context.trace)
        started = perf_counter()
        code = grpc.StatusCode.CANCELLED
        try:
            answer = await self._inner(
                request,
                timeout=seconds,
                metadata=self._headers(context, trace.traceparent, extra),
            )
            code = grpc.StatusCode.OK
        except grpc.aio.AioRpcError as error:
            code = error.code()
            raise _error_of(error) from error
        except asyncio.CancelledError as error:
            if being_cancelled():
                raise
            raise CallClosed("the call was closed on our side") from error
        finally:
            self._metrics.count(code, perf_counter() - started)
            end(span, code)
        return answer


class StreamMethod(_Method):
    """A method with many answers."""

    def __call__(
        self,
        request: Message | AsyncIterable[Message],
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> "Stream":
        """Return the answers, to be read in `async with`; the call starts on entry."""

        def start() -> tuple[Any, Span | None]:
            context = rc()
            trace, span = self._peer.tracing.call(self._method, context.trace)
            call = self._inner(
                request,
                timeout=self._seconds(timeout),
                metadata=self._headers(context, trace.traceparent, metadata),
            )
            return call, span

        return Stream(start, self._metrics)


class Stream:
    """The answers of a call: `async with stub.Watch(request) as answers: async for a in answers`.

    Leaving the block, in whatever way, ends the call at the peer too.
    """

    def __init__(
        self, start: Callable[[], tuple[Any, Span | None]], metrics: MethodMetrics
    ) -> None:
        self._start = start
        self._metrics = metrics
        self._call: Any = None
        self._span: Span | None = None
        self._started = 0.0
        self._ended = False

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cancel()

    def __aiter__(self) -> Self:
        self._open()
        return self

    async def __anext__(self) -> Any:
        if self._ended:
            raise StopAsyncIteration
        try:
            answer = await self._call.read()
        except grpc.aio.AioRpcError as error:
            self._end(error.code())
            raise _error_of(error) from error
        except asyncio.CancelledError as error:
            self._end(grpc.StatusCode.CANCELLED)
            if being_cancelled():
                raise
            raise CallClosed("the call was closed on our side") from error
        if answer is grpc.aio.EOF:
            self._end(grpc.StatusCode.OK)
            raise StopAsyncIteration
        return answer

    def cancel(self) -> None:
        """End the call; do nothing when it has ended."""
        if self._call is not None and not self._ended:
            self._call.cancel()
            self._end(grpc.StatusCode.CANCELLED)

    def _open(self) -> None:
        if self._call is None:
            self._started = perf_counter()
            self._call, self._span = self._start()

    def _end(self, code: grpc.StatusCode) -> None:
        self._ended = True
        self._metrics.count(code, perf_counter() - self._started)
        end(self._span, code)


def _error_of(error: grpc.aio.AioRpcError) -> MeshError:
    """Return our error for the peer's.

    A server that shuts down cancels the calls that it has not begun, and, after the grace, those
    that it has. Our own cancel never comes this way: grpc.aio raises CancelledError for it.
    """
    ours = from_rpc_error(error)
    if ours.kind is Kind.CANCELLED and not is_detailed(error):
        return PeerEnded("the peer dropped the call")
    return ours
