"""PostgreSQL in 16 logical shards: each a schema, held by one of a few servers.

A write is one statement, or one short transaction, at SERIALIZABLE. When rivals make PostgreSQL
roll it back (40001, 40P01) it is run again, whole, with full jitter, while the request has time.
A lost connection is another matter: what was certainly not committed is tried once more; a write
whose outcome is unknown is an error, unless the caller says that it is idempotent.
"""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import asyncpg
from prometheus_client import Counter

from mesh.aio import Group, finish, remaining, within
from mesh.data.failures import (
    FOREIGN,
    RIVALRY,
    DatabaseContended,
    WriteOutcomeUnknown,
    is_lost,
    translate,
)
from mesh.data.pools import Connection, Pool, PostgresSettings
from mesh.data.sql import Query, schema_of
from mesh.ids import BUCKETS, bucket_of

__all__ = ["PostgresSettings", "Record", "Shards", "Transaction"]

T = TypeVar("T")
Record = asyncpg.Record

_COMMIT_SECONDS: Final = 2.0
_FIRST_PAUSE_SECONDS: Final = 0.005
_LONGEST_PAUSE_SECONDS: Final = 0.2
_RETRIES: Final = Counter("db_retries_total", "Calls run again.", ["cause"])


class Transaction:
    """A transaction under way on one shard, given to the function that `transact` runs."""

    def __init__(self, connection: Connection, shard: int) -> None:
        self._connection = connection
        self.shard = shard

    async def fetch(self, query: Query, *args: Any) -> list[Record]:
        """Run a statement and return its rows."""
        return await self._connection.fetch(query.text_by_shard[self.shard], *args)

    async def fetchrow(self, query: Query, *args: Any) -> Record | None:
        """Run a statement and return its first row, or None."""
        return await self._connection.fetchrow(query.text_by_shard[self.shard], *args)

    async def fetchval(self, query: Query, *args: Any) -> Any:
        """Run a statement and return the first column of its first row, or None."""
        return await self._connection.fetchval(query.text_by_shard[self.shard], *args)

    async def execute(self, query: Query, *args: Any) -> None:
        """Run a statement for its effect."""
        await self._connection.fetch(query.text_by_shard[self.shard], *args)

    async def executemany(self, query: Query, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of arguments, in one round trip."""
        await self._connection.executemany(query.text_by_shard[self.shard], rows)

    async def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Load rows into a table of the shard by COPY, the fast way in for an import."""
        await self._connection.copy_records_to_table(
            table, columns=list(columns), records=rows, schema_name=schema_of(self.shard)
        )

    async def stream(self, query: Query, *args: Any, prefetch: int = 1000) -> AsyncIterator[Record]:
        """Yield the rows of a statement without holding them all."""
        text = query.text_by_shard[self.shard]
        async for row in self._connection.cursor(text, *args, prefetch=prefetch):
            yield row


@dataclass(frozen=True, slots=True)
class _Server:
    """One PostgreSQL server: its shards and its two pools."""

    shards: tuple[int, ...]
    write: Pool
    read: Pool


class Shards:
    """All shards of one service's database.

    Blocks: a call, until a connection is free. Cancels: a cancelled call leaves no transaction
    open; a COMMIT under way is finished first. Fails: `mesh.data.failures`, DeadlineExceeded.
    """

    def __init__(self, settings: PostgresSettings, servers: Sequence[_Server]) -> None:
        self._settings = settings
        self._servers = tuple(servers)
        self._server_of = {n: server for server in servers for n in server.shards}
        self._unions: dict[tuple[Query, tuple[int, ...]], str] = {}

    @classmethod
    async def open(cls, settings: PostgresSettings) -> Self:
        """Connect to every server; raise DatabaseUnavailable when one does not answer."""
        async with contextlib.AsyncExitStack() as opened:
            servers = []
            for url, numbers in settings.shards_by_server().items():
                write = await Pool.open(settings, url, writes=True)
                opened.push_async_callback(write.close)
                read = await Pool.open(settings, settings.replicas.get(url, url), writes=False)
                opened.push_async_callback(read.close)
                servers.append(_Server(tuple(numbers), write, read))
            opened.pop_all()
        return cls(settings, servers)

    async def close(self) -> None:
        """Wait for calls under way, then close every connection."""
        for server in self._servers:
            await server.write.close()
            await server.read.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def numbers(self) -> range:
        """Every shard number."""
        return range(self._settings.shards)

    @property
    def settings(self) -> PostgresSettings:
        """What it was opened with."""
        return self._settings

    def of(self, some_id: str) -> int:
        """Return the shard an id lives in; raise InvalidId."""
        return bucket_of(some_id) * self._settings.shards // BUCKETS

    async def fetch(self, shard: int, query: Query, *args: Any) -> list[Record]:
        """Read rows: read only, READ COMMITTED."""
        text = query.text_by_shard[shard]
        return await self._read(self._server_of[shard], lambda c: c.fetch(text, *args))

    async def fetchrow(self, shard: int, query: Query, *args: Any) -> Record | None:
        """Read the first row, or None."""
        text = query.text_by_shard[shard]
        return await self._read(self._server_of[shard], lambda c: c.fetchrow(text, *args))

    async def fetchval(self, shard: int, query: Query, *args: Any) -> Any:
        """Read the first column of the first row, or None."""
        text = query.text_by_shard[shard]
        return await self._read(self._server_of[shard], lambda c: c.fetchval(text, *args))

    async def each(self, query: Query, *args: Any) -> list[Record]:
        """Read from all shards: one UNION ALL per server, the servers asked concurrently.

        ORDER BY and LIMIT in the query hold per shard; the rows come shard by shard.
        """
        async with Group() as group:
            tasks = [await group.go(self._each_of(server, query, args)) for server in self._servers]
        return [row for task in tasks for row in task.result()]

    async def write(
        self, shard: int, query: Query, *args: Any, idempotent: bool = False
    ) -> list[Record]:
        """Run ONE statement at SERIALIZABLE, its own transaction, and return its rows.

        `idempotent` says that running it twice is the same as once: then a lost connection is
        retried too. Otherwise it raises WriteOutcomeUnknown.
        """
        text = query.text_by_shard[shard]
        return await self._run(
            self._server_of[shard].write, lambda c: c.fetch(text, *args), repeatable=idempotent
        )

    async def transact(self, shard: int, fn: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `fn` in a SERIALIZABLE transaction; it may run more than once, so only SQL in it.

        What `fn` raises rolls back and passes on. Raise WriteOutcomeUnknown when the connection is
        lost at COMMIT.
        """

        async def attempt(connection: Connection) -> T:
            return await _transaction(connection, lambda: fn(Transaction(connection, shard)))

        return await self._run(self._server_of[shard].write, attempt, repeatable=True)

    @contextlib.asynccontextmanager
    async def snapshot(self, shard: int) -> AsyncIterator[Transaction]:
        """Read one consistent state of a shard, for as long as it takes (REPEATABLE READ)."""
        async with self._server_of[shard].read.connection() as connection:
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    yield Transaction(connection, shard)
            except FOREIGN as error:
                raise translate(error) from error

    async def ready(self) -> None:
        """Ask every server for a row within a second; raise Unavailable or DeadlineExceeded."""
        async with within(1.0):
            for server in self._servers:
                await self._run(server.write, lambda c: c.fetchval("SELECT 1"), repeatable=True)

    async def _read(self, server: _Server, work: Callable[[Connection], Awaitable[T]]) -> T:
        return await self._run(server.read, work, repeatable=True)

    async def _run(
        self, pool: Pool, work: Callable[[Connection], Awaitable[T]], *, repeatable: bool
    ) -> T:
        """Run `work`, again after rivalry, and once more after a lost connection if repeatable."""
        may_reconnect = repeatable
        async with within(None if remaining() is not None else self._settings.call_seconds):
            for attempt in itertools.count():
                try:
                    async with pool.connection() as connection:
                        return await work(connection)
                except RIVALRY as error:
                    _RETRIES.labels(error.sqlstate).inc()
                    await _pause(attempt, error)
                except FOREIGN as error:
                    if not (may_reconnect and is_lost(error)):
                        raise translate(error, outcome_known=repeatable) from error
                    may_reconnect = False
                    _RETRIES.labels("lost").inc()
        raise AssertionError("the loop ends by return or raise")

    async def _each_of(self, server: _Server, query: Query, args: Sequence[Any]) -> list[Record]:
        key = (query, server.shards)
        if key not in self._unions:
            texts = [query.text_by_shard[n] for n in server.shards]
            self._unions[key] = " UNION ALL ".join(f"({text}\n)" for text in texts)
        text = self._unions[key]
        return await self._read(server, lambda c: c.fetch(text, *args))


async def _transaction(connection: Connection, body: Callable[[], Awaitable[T]]) -> T:
    transaction = connection.transaction()
    await transaction.start()
    try:
        result = await body()
    except BaseException:
        with contextlib.suppress(*FOREIGN):
            await finish(transaction.rollback(), limit=_COMMIT_SECONDS)
        raise
    try:
        await finish(transaction.commit(), limit=_COMMIT_SECONDS)
    except FOREIGN as error:
        if is_lost(error):
            raise WriteOutcomeUnknown from error
        raise
    return result


async def _pause(attempt: int, error: Exception) -> None:
    """Sleep a full-jitter backoff; raise DatabaseContended when the time left is shorter."""
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(attempt, 10))
    seconds = random.uniform(0, longest)  # noqa: S311  (jitter, not a secret)
    left = remaining()
    if left is not None and seconds >= left:
        raise DatabaseContended from error
    await asyncio.sleep(seconds)
