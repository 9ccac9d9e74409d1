# ruff: noqa: N802  (the contract names the methods)
"""A servicer whose every method does what a test says, and says what it knows of its call."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from echo_stubs import SERVICE, pb, rpc

from mesh.aio import rc, remaining
from mesh.rpc.idempotency import Begun, InProgress, Mismatch, Replay, Run, Scope
from mesh.rpc.server import Mount

Behaviour = Callable[[Any], Awaitable[Any]]


def facts(text: str = "") -> Any:
    """Return an answer with what the running handler knows."""
    context = rc()
    who = context.principal.user_id if context.principal else ""
    return pb.EchoResponse(
        text=text,
        remaining_seconds=remaining() or 0.0,
        caller=f"{who}/{context.service or ''}",
        request_id=context.request_id,
        trace_id=context.trace.trace_id,
    )


async def say(request: Any) -> Any:
    """Answer with the request's own text."""
    return facts(request.text)


class Echo(rpc.EchoServiceServicer):
    """Count calls by method; answer by `behaviour`, streams item by item."""

    def __init__(self, behaviour: Behaviour = say) -> None:
        self.behaviour = behaviour
        self.calls: list[str] = []

    async def _one(self, method: str, request: Any) -> Any:
        self.calls.append(method)
        return await self.behaviour(request)

    async def Public(self, request: Any, context: Any) -> Any:
        return await self._one("Public", request)

    async def Unsafe(self, request: Any, context: Any) -> Any:
        return await self._one("Unsafe", request)

    async def Brief(self, request: Any, context: Any) -> Any:
        return await self._one("Brief", request)

    async def User(self, request: Any, context: Any) -> Any:
        return await self._one("User", request)

    async def Host(self, request: Any, context: Any) -> Any:
        return await self._one("Host", request)

    async def Admin(self, request: Any, context: Any) -> Any:
        return await self._one("Admin", request)

    async def Service(self, request: Any, context: Any) -> Any:
        return await self._one("Service", request)

    async def Keyed(self, request: Any, context: Any) -> Any:
        return await self._one("Keyed", request)

    async def MaybeKeyed(self, request: Any, context: Any) -> Any:
        return await self._one("MaybeKeyed", request)

    async def Count(self, request: Any, context: Any) -> AsyncIterator[Any]:
        for number in range(request.guest_count):
            yield await self._one("Count", pb.EchoRequest(text=str(number)))

    async def Gather(self, requests: Any, context: Any) -> Any:
        texts = [request.text async for request in requests]
        return await self._one("Gather", pb.EchoRequest(text=" ".join(texts)))

    async def Chat(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        async for request in requests:
            yield await self._one("Chat", request)


class MemoryStore:
    """Remember idempotent calls in a dict: the rules of the real store, without its lease clock."""

    def __init__(self) -> None:
        self.rows: dict[Scope, dict[str, Any]] = {}

    async def begin(self, scope: Scope, fingerprint: bytes) -> Begun:
        row = self.rows.setdefault(
            scope,
            {"fingerprint": fingerprint, "attempt": 0, "leased": False, "response": None},
        )
        if row["fingerprint"] != fingerprint:
            return Mismatch()
        if row["response"] is not None:
            return Replay(row["response"])
        if row["leased"]:
            return InProgress(30.0)
        row["leased"] = True
        return Run(row["attempt"], datetime(2026, 1, 1, tzinfo=UTC))

    async def finish(self, scope: Scope, attempt: int, response: bytes) -> None:
        if self.rows[scope]["attempt"] == attempt:
            self.rows[scope]["response"] = response

    async def fail(self, scope: Scope, attempt: int) -> None:
        if self.rows[scope]["attempt"] == attempt:
            self.rows[scope].update(leased=False, attempt=attempt + 1)


def mount(servicer: Echo, store: MemoryStore | None = None) -> Mount:
    """Return `servicer` as a server takes it."""
    add = rpc.add_EchoServiceServicer_to_server
    return Mount(servicer, add, SERVICE, store or MemoryStore())
