"""A gRPC server: servicers behind their policies, health, reflection, and an orderly end."""

from __future__ import annotations  # grpc's handler types are generic in stubs only

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from mesh.rpc.headers import arrived
from mesh.rpc.idempotency import IdempotencyStore
from mesh.rpc.pipeline import Guards, MethodPipeline
from mesh.rpc.policy import PolicyError, policies_of

_SERVING = health_pb2.HealthCheckResponse.SERVING


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """How a server listens and how it ends."""

    listen: str
    """host:port; port 0 takes a free one."""
    reuse_port: bool = False
    """Let several processes share the port (SO_REUSEPORT); the kernel spreads connections."""
    max_concurrent_rpcs: int = 2048
    """More are refused with RESOURCE_EXHAUSTED. Health watches count."""
    max_message_bytes: int = 8 * 1024 * 1024
    lame_duck_seconds: float = 0.5
    """Between saying NOT_SERVING and refusing calls: time for clients to go elsewhere."""
    grace_seconds: float = 10.0
    """For the calls in flight; then they are cancelled."""


@dataclass(frozen=True)
class Mount:
    """A servicer and how it is added: `Mount(servicer, add_XServicer_to_server, "pkg.X")`."""

    servicer: object
    add: Callable[[Any, Any], None]
    service: str
    """Full name, as in `DESCRIPTOR.services_by_name["X"].full_name`."""
    idempotency: IdempotencyStore | None = None
    """Needed when a method's policy takes idempotency keys."""


class Server:
    """Serve from `async with` on; leaving it, or `drain`, ends in order.

    Raise PolicyError on entry when a method has no policy, OSError when the port is taken.
    """

    def __init__(self, settings: ServerSettings, mounts: Sequence[Mount], guards: Guards) -> None:
        self._settings = settings
        self._health = health.aio.HealthServicer()
        self._services = tuple(mount.service for mount in mounts)
        self._routes = _Routes(mounts, guards)
        self._server: grpc.aio.Server | None = None
        self._drained = False
        self.port = 0
        """The port it listens on, once entered."""

    @property
    def address(self) -> str:
        """Return host:port as clients reach it."""
        return f"{self._settings.listen.rpartition(':')[0]}:{self.port}"

    async def __aenter__(self) -> Self:
        settings = self._settings
        server = grpc.aio.server(
            options=_options(settings), maximum_concurrent_rpcs=settings.max_concurrent_rpcs
        )
        server.add_generic_rpc_handlers((self._routes,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        try:
            self.port = server.add_insecure_port(settings.listen)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {settings.listen}: is the port taken?") from error
        await server.start()
        self._server = server
        for service in self._services:
            await self._health.set(service, _SERVING)
        return self

    async def drain(self) -> None:
        """Say NOT_SERVING, wait a little, refuse new calls, give those in flight their grace."""
        if self._drained or self._server is None:
            return
        self._drained = True
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(self._settings.lame_duck_seconds)
        await self._server.stop(self._settings.grace_seconds)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is None:
            await self.drain()
        elif self._server is not None:
            await self._server.stop(None)


class _Routes(grpc.GenericRpcHandler):
    """Find the handler of a call, and keep what arrived with it for the handler's pipeline."""

    def __init__(self, mounts: Sequence[Mount], guards: Guards) -> None:
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        for mount in mounts:
            self._handlers.update(_guarded(mount, guards))

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return the handler; None is the next one's to find. It runs in the call's own task."""
        handler = self._handlers.get(handler_call_details.method)
        if handler is not None:
            arrived.set(tuple(handler_call_details.invocation_metadata))
        return handler


class _Collector:
    """Stand in for a server while generated code registers its handlers, to get hold of them."""

    def __init__(self) -> None:
        self.handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Take nothing: the same handlers come by name."""

    def add_registered_method_handlers(
        self, _service: str, handlers: dict[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        """Take the handlers by method name."""
        self.handlers.update(handlers)


def _guarded(mount: Mount, guards: Guards) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    policies = policies_of(mount.service)
    collector = _Collector()
    mount.add(mount.servicer, collector)
    if collector.handlers.keys() != policies.keys():
        raise PolicyError(f"{mount.service}: its stubs and its contract name different methods")
    return {
        policies[name].method: MethodPipeline(
            handler, policies[name], guards, mount.idempotency
        ).wrapped()
        for name, handler in collector.handlers.items()
    }


def _options(settings: ServerSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", int(settings.reuse_port)),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.max_metadata_size", 16 * 1024),
        # A peer that vanished without a FIN is noticed within 40 s; ours ping every 30 s.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ]
