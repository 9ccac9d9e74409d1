"""What happens to a call before and after its handler; the contract's policy, enforced.

    1. read the headers: request id, trace, who calls
    2. deadline: the caller's, capped by the policy, a little shaved off; scraps are refused
    3. authentication and authorization by the policy
    4. decode and validate the request
    5. idempotency, where the policy knows keys
    6. the handler, cancelled at the deadline
    7. errors become the one error shape; of an unexpected one nothing is told
    8. one log line, two metrics, one span

The steps wrap each handler once, at registration. A stack of grpc.aio interceptors would do the
same for five coroutines and a handler object more per call.
"""

from __future__ import annotations  # grpc's handler types are generic in stubs only

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import grpc
import structlog
from google.protobuf.message import DecodeError, Message
from opentelemetry.trace import Span

from mesh.aio.context import IdempotentCall, RequestContext, rc, set_context
from mesh.aio.finish import finish
from mesh.errors import MeshError, Unimplemented
from mesh.rpc import idempotency as keys
from mesh.rpc.auth import AUTHORIZATION, SERVICE_HEADER, Authenticator
from mesh.rpc.cancel import being_cancelled
from mesh.rpc.deadline import limit_of, until
from mesh.rpc.headers import REQUEST_ID, TRACEPARENT, arrived, request_id_of
from mesh.rpc.observe import AnsweredLine, ServedCalls, answered_line
from mesh.rpc.policy import Idempotency, MethodPolicy, PolicyError
from mesh.rpc.status import CODE_OF, DETAILS_KEY, from_exception, to_status, unexpected
from mesh.rpc.tracing import Tracing, end
from mesh.rpc.validation import RequestMalformed, validate, warm_up

_log = structlog.stdlib.get_logger("mesh.rpc")


@dataclass(frozen=True, kw_only=True)
class Guards:
    """What the steps need from the process."""

    authenticator: Authenticator
    tracing: Tracing = field(default_factory=Tracing)
    answered_line: AnsweredLine = answered_line


@dataclass(slots=True)
class _Call:
    """What is known of a call from its first moment to its log line."""

    started: float
    request_id: str = ""
    span: Span | None = None


class MethodPipeline:
    """The steps around one method."""

    def __init__(
        self,
        handler: grpc.RpcMethodHandler[Any, Any],
        policy: MethodPolicy,
        guards: Guards,
        store: keys.IdempotencyStore | None,
    ) -> None:
        if policy.idempotency is not Idempotency.NONE and store is None:
            raise PolicyError(f"{policy.method}: its policy needs an idempotency store")
        self._handler = handler
        self._policy = policy
        self._guards = guards
        self._store = store
        self._behaviour = _behaviour_of(handler, policy)
        self._decode: Callable[[bytes], Message] = handler.request_deserializer or _no_codec
        self._encode: Callable[[Any], bytes] = handler.response_serializer or _no_codec
        self._read: Callable[[Any], Any] = (
            self._each_request if handler.request_streaming else self._one_request
        )
        self._served = ServedCalls(policy.method, guards.answered_line)
        # The rules of a message are compiled at its first use; not in somebody's call.
        warm_up(self._decode(b""))

    def wrapped(self) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the handler that grpc.aio calls instead of the servicer's."""
        # Where we decode and encode ourselves, a failure to do so is answered like any other.
        decode = self._decode if self._handler.request_streaming else None
        match self._handler.request_streaming, self._handler.response_streaming:
            case False, False:
                return grpc.unary_unary_rpc_method_handler(self._answer)
            case True, False:
                return grpc.stream_unary_rpc_method_handler(self._answer, decode)
            case False, True:
                return grpc.unary_stream_rpc_method_handler(
                    self._answer_stream, decode, self._encode
                )
            case _:
                return grpc.stream_stream_rpc_method_handler(
                    self._answer_stream, decode, self._encode
                )

    async def _answer(self, raw: Any, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        call = _Call(perf_counter())
        try:
            headers: dict[str, Any] = dict(arrived.get())
            deadline = self._admit(call, headers, context)
            request = self._read(raw)
            with until(deadline):
                key = headers.get(keys.HEADER)
                if self._policy.idempotency is Idempotency.NONE:
                    body = self._encode(await self._behaviour(request, context))
                elif key is None:
                    body = await self._without_key(request, context)
                else:
                    body = await self._once(key, request, context)
        except BaseException as error:
            await self._refuse(call, error, context)
            raise
        end(call.span, grpc.StatusCode.OK)
        self._served.answered(call.started)
        return body

    async def _answer_stream(self, raw: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        call = _Call(perf_counter())
        try:
            headers: dict[str, Any] = dict(arrived.get())
            deadline = self._admit(call, headers, context)
            request = self._read(raw)
            with until(deadline):
                async with aclosing(self._behaviour(request, context)) as replies:
                    async for reply in replies:
                        # Written from here, not yielded: a cancel then always finds the handler.
                        await context.write(reply)
        except BaseException as error:
            await self._refuse(call, error, context)
            raise
        end(call.span, grpc.StatusCode.OK)
        self._served.answered(call.started)

    def _admit(
        self,
        call: _Call,
        headers: dict[str, str],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> float:
        """Set the request's context and return its deadline, or raise why it may not run."""
        policy = self._policy
        given = headers.get(REQUEST_ID)
        call.request_id = request_id_of(given)
        if call.request_id is not given:  # who sent one knows it
            context.set_trailing_metadata(((REQUEST_ID, call.request_id),))
        trace, call.span = self._guards.tracing.serve(policy.method, headers.get(TRACEPARENT))
        try:
            seconds = limit_of(context.time_remaining(), policy.max_deadline_seconds)
            principal, token, service = self._guards.authenticator.admit(
                policy, headers.get(AUTHORIZATION), headers.get(SERVICE_HEADER)
            )
        except MeshError:
            set_context(RequestContext(trace=trace, request_id=call.request_id))
            raise
        deadline = asyncio.get_running_loop().time() + seconds
        set_context(
            RequestContext(
                deadline=deadline,
                principal=principal,
                service=service,
                trace=trace,
                priority=policy.priority,
                request_id=call.request_id,
                token=token,
            )
        )
        return deadline

    def _one_request(self, raw: bytes) -> Message:
        try:
            request = self._decode(raw)
        except DecodeError as error:
            raise RequestMalformed("the request cannot be decoded") from error
        validate(request)
        return request

    async def _each_request(self, requests: AsyncIterator[Message]) -> AsyncIterator[Message]:
        while True:
            try:
                request = await anext(requests)
            except StopAsyncIteration:
                return
            except DecodeError as error:
                raise RequestMalformed("a request cannot be decoded") from error
            validate(request)
            yield request

    async def _without_key(
        self, request: Message, context: grpc.aio.ServicerContext[Any, Any]
    ) -> bytes:
        if self._policy.idempotency is Idempotency.REQUIRED:
            raise keys.IdempotencyKeyRequired(f"send an {keys.HEADER} header")
        return self._encode(await self._behaviour(request, context))

    async def _once(
        self, key: str, request: Message, context: grpc.aio.ServicerContext[Any, Any]
    ) -> bytes:
        """Run the handler under its key, or answer as the first call with this key was answered."""
        assert self._store is not None
        scope = keys.Scope(_caller(), self._policy.method, keys.check_key(key))
        begun = await self._store.begin(scope, keys.fingerprint(request))
        if isinstance(begun, keys.Replay):
            await context.send_initial_metadata(((keys.REPLAYED_HEADER, "true"),))
            return begun.response
        if not isinstance(begun, keys.Run):
            raise keys.refusal(begun)
        set_context(replace(rc(), idempotency=IdempotentCall(key, begun.attempt, begun.first_seen)))
        try:
            body = self._encode(await self._behaviour(request, context))
        except BaseException:
            await self._settle(self._store.fail(scope, begun.attempt))
            raise
        await self._settle(self._store.finish(scope, begun.attempt, body))
        return body

    async def _settle(self, step: Any) -> None:
        try:
            await finish(step)
        except MeshError:
            # The lease ends by itself, and the work is known by its derived ids.
            _log.warning("idempotency key not settled", method=self._policy.method, exc_info=True)

    async def _refuse(
        self, call: _Call, error: BaseException, context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        """Answer with the one error shape and raise AbortError; return when nobody is listening."""
        if isinstance(error, KeyboardInterrupt | SystemExit):
            return
        if isinstance(error, grpc.aio.AbortError):
            self._failed(call, grpc.StatusCode.UNKNOWN, error)
            return
        if isinstance(error, asyncio.CancelledError) and being_cancelled():
            self._failed(call, grpc.StatusCode.CANCELLED, error)
            return
        # Also a CancelledError that nobody asked for: unanswered, its client would wait for ever.
        ours = from_exception(error)
        code = CODE_OF[(ours or unexpected()).kind]
        self._failed(call, code, ours or error)
        status = to_status(ours or unexpected())
        await context.abort(
            code,
            status.message,
            ((DETAILS_KEY, status.SerializeToString()), (REQUEST_ID, call.request_id)),
        )

    def _failed(self, call: _Call, code: grpc.StatusCode, error: BaseException) -> None:
        end(call.span, code)
        self._served.failed(code, call.started, error)


def _behaviour_of(
    handler: grpc.RpcMethodHandler[Any, Any], policy: MethodPolicy
) -> Callable[..., Any]:
    """Return the servicer's own function; one that says so for a method that is not written."""
    behaviour: Callable[..., Any] | None
    if handler.response_streaming:
        behaviour = handler.stream_stream or handler.unary_stream
        if behaviour and inspect.isasyncgenfunction(behaviour):
            return behaviour
        if inspect.iscoroutinefunction(behaviour):
            raise PolicyError(f"{policy.method}: a stream is answered by an async generator")
    else:
        behaviour = handler.stream_unary or handler.unary_unary
        if behaviour and inspect.iscoroutinefunction(behaviour):
            return behaviour
    _log.warning("method not implemented", method=policy.method)
    return _unwritten_stream if handler.response_streaming else _unwritten


def _no_codec(_: object) -> Any:
    raise PolicyError("generated stubs always name their codecs")


async def _unwritten(_request: object, _context: object) -> None:
    raise Unimplemented("this method is not served here")


async def _unwritten_stream(_request: object, _context: object) -> AsyncIterator[None]:
    raise Unimplemented("this method is not served here")
    yield  # makes it a generator


def _caller() -> str:
    context = rc()
    if context.principal is not None:
        return context.principal.user_id
    return "anonymous" if context.service is None else f"service:{context.service}"
