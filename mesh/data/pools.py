"""The two connection pools of one PostgreSQL server, and the map from shards to servers.

Writes and decisions go through SERIALIZABLE connections; reads go through read-only connections
at READ COMMITTED, which a slow report can exhaust without stopping a booking.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import asyncpg
from prometheus_client import Gauge

from mesh.data.failures import FOREIGN, translate
from mesh.ids import SHARDS

_RELEASE_SECONDS: Final = 2.0
_USAGE: Final = Gauge("db_connection_pool_usage", "Connections in use.", ["pool"])
_MAX: Final = Gauge("db_connection_pool_max", "Connections the pool may open.", ["pool"])

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


@dataclass(frozen=True, kw_only=True)
class PostgresSettings:
    """Where the shards are and how many connections they may take.

    `servers` moves shards away from `url` to other servers; `replicas` gives a server's URL the
    URL its reads go to. `call_seconds` bounds a call that came without a deadline.
    """

    url: str = field(repr=False)
    shards: int = SHARDS
    servers: Mapping[str, Sequence[int]] = field(default_factory=dict, repr=False)
    replicas: Mapping[str, str] = field(default_factory=dict, repr=False)
    write_connections: int = 8
    read_connections: int = 8
    call_seconds: float = 15.0
    statement_cache: int = 512
    application_name: str = "staymesh"

    def shards_by_server(self) -> dict[str, list[int]]:
        """Return which shards each server holds; raise ValueError when one is claimed twice."""
        placed: dict[str, list[int]] = {url: sorted(n) for url, n in self.servers.items()}
        claimed = [n for numbers in placed.values() for n in numbers]
        if len(claimed) != len(set(claimed)) or not set(claimed) <= set(range(self.shards)):
            raise ValueError(f"the shard map names a shard twice or one that is not: {claimed}")
        rest = [n for n in range(self.shards) if n not in claimed]
        if rest:
            placed[self.url] = sorted(placed.get(self.url, []) + rest)
        return placed


class Pool:
    """A bounded set of connections with one isolation level.

    Blocks: `connection`, until one is free. Cancels: a statement under way, by a cancel request;
    the connection comes back when the server has answered, or is dropped. Fails:
    DatabaseUnavailable when no connection can be made.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", label: str) -> None:
        self._pool = pool
        self._label = label
        _USAGE.labels(label).set_function(lambda: pool.get_size() - pool.get_idle_size())
        _MAX.labels(label).set_function(pool.get_max_size)

    @classmethod
    async def open(cls, settings: PostgresSettings, url: str, *, writes: bool) -> "Pool":
        """Connect once, so that a wrong URL shows at start; raise DatabaseUnavailable."""
        server_settings = {
            "application_name": settings.application_name,
            "timezone": "UTC",
            "jit": "off",  # its compile time dwarfs the short statements we run
            "statement_timeout": str(int((settings.call_seconds + 5) * 1000)),
            "idle_in_transaction_session_timeout": "60000",
        }
        if writes:
            server_settings["default_transaction_isolation"] = "serializable"
        else:
            server_settings["default_transaction_read_only"] = "on"
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=settings.write_connections if writes else settings.read_connections,
                statement_cache_size=settings.statement_cache,
                max_cached_statement_lifetime=0,
                timeout=5,
                init=set_codecs,
                reset=_keep,
                server_settings=server_settings,
            )
        except FOREIGN as error:
            raise translate(error) from error
        return cls(pool, f"{_place(url)}/{'write' if writes else 'read'}")

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; what the block raises passes through untouched."""
        try:
            connection = await self._pool.acquire()
        except FOREIGN as error:
            # No connection, so nothing was sent: the outcome is known.
            raise translate(error) from error
        try:
            yield connection
        finally:
            # A release that fails has terminated the connection, and the pool makes another one.
            with contextlib.suppress(*FOREIGN):
                await self._pool.release(connection, timeout=_RELEASE_SECONDS)

    async def close(self) -> None:
        """Wait for the connections in use, then close all."""
        _USAGE.remove(self._label)
        _MAX.remove(self._label)
        await self._pool.close()


async def set_codecs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Let json and jsonb be Python values."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=json.dumps, decoder=json.loads
        )


async def _keep(_: Any) -> None:
    """Skip asyncpg's reset query: a round trip per call, and no session state is ever set here."""


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5432}{parts.path}"
