"""Publish what the service's transactions left in their outbox tables.

An event is inserted in the transaction of its cause, so there is never one without the other. The
relay reads all shards of a server with one statement, publishes in the order of the rows, and
deletes what Kafka has acknowledged. Rows are deleted, not skipped past by a cursor: the row of a
slow transaction, which appears late with a low id, is simply found then.

Order per aggregate is the order of ids within its shard, because rows of one aggregate are
inserted while its row is locked. After a crash between publishing and deleting, rows are published
again: consumers keep an inbox.

Of all processes of a service one relays for each server, by an advisory lock held on the relay's
own connection; when that process dies, PostgreSQL frees the lock and another goes on.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import asyncpg
import structlog
from prometheus_client import Counter, Gauge

from mesh.aio import Group, rc
from mesh.bus.backoff import Backoff
from mesh.bus.messages import KIND, TRACEPARENT, Outbound
from mesh.bus.producer import Producer
from mesh.data.failures import FOREIGN
from mesh.data.pools import set_codecs
from mesh.data.postgres import Shards, Transaction
from mesh.data.sql import Queries, load

_log = structlog.stdlib.get_logger(__name__)
_AGE: Final = Gauge("outbox_age_seconds", "Age of the oldest event not yet published.")
_PUBLISHED: Final = Counter("outbox_published_total", "Events acknowledged by Kafka.", ["topic"])
_LOCK: Final = 0x5741_0002
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock($1)"
_q: Final[Queries] = load(Path(__file__).with_name("outbox.sql"))

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """An event to be published; `key` is the aggregate's id, which decides the partition."""

    topic: str
    key: str
    kind: str
    payload: bytes
    headers: Mapping[str, str] = field(
        default_factory=lambda: {TRACEPARENT: rc().trace.traceparent}
    )

    @property
    def args(self) -> tuple[str, str, str, bytes, dict[str, str]]:
        """Return topic, key, kind, payload, headers: a statement's arguments, in this order."""
        return (self.topic, self.key, self.kind, self.payload, dict(self.headers))


async def add(tx: Transaction, *rows: OutboxRow) -> None:
    """Leave events for the relay in a transaction under way."""
    for row in rows:
        await tx.execute(_q.add, *row.args)


@dataclass(frozen=True, kw_only=True)
class RelaySettings:
    """How often to look and how much to take."""

    idle_seconds: float = 0.075
    standby_seconds: float = 1.0
    """Between two tries for the lock that another process holds."""
    rows_per_shard: int = 200


class Relay:
    """The worker that publishes a service's outbox.

    Blocks: `run`, forever. Cancels: `run` stops where it is; rows not deleted are published again
    by whoever goes on. Fails: never for PostgreSQL or Kafka; it waits for them.
    """

    def __init__(
        self, shards: Shards, producer: Producer, settings: RelaySettings | None = None
    ) -> None:
        self._servers = shards.settings.shards_by_server()
        self._producer = producer
        self._settings = settings or RelaySettings()
        self._oldest: dict[str, float] = {}
        _AGE.set_function(self._age_seconds)

    async def run(self) -> None:
        """Relay until cancelled."""
        async with Group() as group:
            for url, numbers in self._servers.items():
                await group.go(self._serve(url, numbers))

    def _age_seconds(self) -> float:
        return max((time.monotonic() - since for since in self._oldest.values()), default=0.0)

    async def _serve(self, url: str, numbers: Sequence[int]) -> None:
        backoff = Backoff()
        while True:
            try:
                connection = await asyncpg.connect(url, timeout=5, statement_cache_size=0)
                try:
                    await set_codecs(connection)
                    backoff.reset()
                    await self._hold(connection, url, numbers)
                finally:
                    connection.terminate()
            except FOREIGN as error:
                _log.warning("relay lost PostgreSQL", error=repr(error))
            await backoff.pause()

    async def _hold(self, connection: Connection, url: str, numbers: Sequence[int]) -> None:
        # The holder is another process, so there is no event of ours to wait for.
        while not await connection.fetchval(_TRY_LOCK, _LOCK):  # noqa: ASYNC110  (no event tells)
            await asyncio.sleep(self._settings.standby_seconds)
        _log.info("relaying", shards=len(numbers))
        poll = await connection.prepare(
            " UNION ALL ".join(f"({_q.oldest.text_by_shard[n]})" for n in numbers)
        )
        delete = await connection.prepare(_delete_all(numbers))
        refused = Backoff()
        try:
            while True:
                rows = await poll.fetch(self._settings.rows_per_shard)
                self._note(url, rows)
                if not rows:
                    await asyncio.sleep(self._settings.idle_seconds)
                    continue
                acknowledged = await self._publish(rows)
                await delete.fetch(*_ids_by_shard(acknowledged, numbers))
                if len(acknowledged) < len(rows):
                    await refused.pause()
                else:
                    refused.reset()
        finally:
            self._oldest.pop(url, None)

    def _note(self, url: str, rows: Sequence[asyncpg.Record]) -> None:
        self._oldest.pop(url, None)
        if rows:
            self._oldest[url] = time.monotonic() - max(row["age_seconds"] for row in rows)

    async def _publish(self, rows: Sequence[asyncpg.Record]) -> list[asyncpg.Record]:
        """Publish rows in order and return those that Kafka has acknowledged."""
        outcomes = await self._producer.publish([_outbound(row) for row in rows])
        acknowledged = []
        for row, error in zip(rows, outcomes, strict=True):
            if error is None:
                _PUBLISHED.labels(row["topic"]).inc()
                acknowledged.append(row)
            else:
                _log.error(
                    "event not published",
                    topic=row["topic"],
                    kind=row["kind"],
                    key=row["partition_key"],
                    error=repr(error),
                )
        return acknowledged


def _outbound(row: asyncpg.Record) -> Outbound:
    return Outbound(
        topic=row["topic"],
        key=row["partition_key"],
        payload=row["payload"],
        headers={**row["headers"], KIND: row["kind"]},
        timestamp_ms=row["created_ms"],
    )


def _delete_all(numbers: Sequence[int]) -> str:
    """Return one statement that deletes from every shard; its arguments are ids, by shard."""
    parts = [
        f"d{n} AS ({_q.delete.text_by_shard[n].replace('$1', f'${at}')})"
        for at, n in enumerate(numbers, 1)
    ]
    return f"WITH {', '.join(parts)} SELECT 1"


def _ids_by_shard(rows: Sequence[asyncpg.Record], numbers: Sequence[int]) -> list[list[Any]]:
    ids: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        ids[row["shard"]].append(row["id"])
    return [ids[n] for n in numbers]
