"""Channels to other services: round robin over healthy backends, under the caller's deadline.

`connect` gives a channel for the generated stubs. Calls on it raise `mesh.errors` errors, carry the
request's deadline, ids and user, and are retried only where the contract allows it.
"""

import ipaddress
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from prometheus_client import Gauge

from mesh.aio.breaker import Breaker, BreakerState
from mesh.aio.retry import Retry, RetryBudget
from mesh.rpc.calls import Peer, StreamMethod, UnaryMethod
from mesh.rpc.identity import ServiceIdentity
from mesh.rpc.tracing import Tracing

_log = structlog.stdlib.get_logger("mesh.rpc")
_BREAKER = Gauge(
    "rpc_client_breaker_open", "1 while calls to a peer are refused, 0.5 while probing.", ["peer"]
)
_OPENNESS = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 0.5, BreakerState.OPEN: 1.0}


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """How calls to one peer behave."""

    attempts: int = 3
    """Tries in all, of a method whose policy says it is safe to repeat."""
    breaker_failures: int = 20
    breaker_open_seconds: float = 1.0
    """Short, because the balancer already leaves out backends that are down; the breaker is for a
    peer that answers, and answers badly."""
    max_message_bytes: int = 8 * 1024 * 1024


@asynccontextmanager
async def connect(
    name: str,
    addresses: Sequence[str],
    identity: ServiceIdentity | None,
    settings: ClientSettings | None = None,
    tracing: Tracing | None = None,
) -> AsyncIterator["Channel"]:
    """Open a channel to the peer `name` at `addresses` (host:port), for generated stubs.

    Nothing is sent before the first call. `identity` is who we say we are; None says nothing.
    Raise ValueError when there is no address, or several that are not IP addresses.
    """
    settings = settings or ClientSettings()
    inner = grpc.aio.insecure_channel(target_of(addresses), options=_options(settings))
    retry = Retry(attempts=settings.attempts, budget=RetryBudget())
    breaker = Breaker(
        name,
        failures=settings.breaker_failures,
        open_seconds=settings.breaker_open_seconds,
        on_change=_breaker_changed,
    )
    _BREAKER.labels(name).set(0.0)
    try:
        yield Channel(inner, Peer(name, identity, tracing or Tracing(), retry, breaker))
    finally:
        await inner.close()


class Channel(grpc.aio.Channel):
    """What generated stubs call; it wraps the methods of a grpc.aio channel.

    Interceptors of grpc.aio would cost a task and several objects more per call.
    """

    def __init__(self, inner: grpc.aio.Channel, peer: Peer) -> None:
        self._inner = inner
        self._peer = peer

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method."""
        return UnaryMethod(self._inner.unary_unary(method, *args, **kwargs), method, self._peer)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method; it is never retried."""
        return UnaryMethod(
            self._inner.stream_unary(method, *args, **kwargs), method, self._peer, stream=True
        )

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method; its calls are read in `async with`."""
        return StreamMethod(self._inner.unary_stream(method, *args, **kwargs), method, self._peer)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method; its calls are read in `async with`."""
        return StreamMethod(self._inner.stream_stream(method, *args, **kwargs), method, self._peer)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Return the state of the channel."""
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the state is another than `last_observed_state`."""
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until a backend is connected and healthy."""
        await self._inner.channel_ready()

    async def close(self, grace: float | None = None) -> None:
        """Close the channel; `connect` does it."""
        await self._inner.close(grace)

    async def __aenter__(self) -> "Channel":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def target_of(addresses: Sequence[str]) -> str:
    """Return the gRPC target for a static list. Raise ValueError when it cannot be balanced."""
    if not addresses:
        raise ValueError("a peer needs an address")
    versions = {_ip_version(address) for address in addresses}
    if versions == {4}:
        return f"ipv4:{','.join(addresses)}"
    if versions == {6}:
        return f"ipv6:{','.join(addresses)}"
    if len(addresses) == 1:
        return f"dns:///{addresses[0]}"
    raise ValueError(f"several addresses must all be IPv4 or all IPv6: {', '.join(addresses)}")


def _ip_version(address: str) -> int | None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"not host:port: {address!r}")
    try:
        return ipaddress.ip_address(host.strip("[]")).version
    except ValueError:
        return None


def _breaker_changed(peer: str, state: BreakerState) -> None:
    _BREAKER.labels(peer).set(_OPENNESS[state])
    _log.warning("breaker", peer=peer, state=state.value)


_SERVICE_CONFIG = json.dumps(
    {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}
)


def _options(settings: ClientSettings) -> list[tuple[str, int | str]]:
    return [
        ("grpc.service_config", _SERVICE_CONFIG),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        # A peer that was restarted is found again within a second, not within two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
    ]
