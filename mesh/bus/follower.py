"""Follow partitions from offsets of one's own, for a projection that keeps them beside its data.

The projection stores its rows and the offset after them in one transaction, or loads a snapshot
that names its offsets, and follows from there: no group, no commits, every process sees what it
asked for.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from prometheus_client import Gauge

from mesh.bus.backoff import Backoff
from mesh.bus.messages import Message
from mesh.bus.quiet import RETRY_MS
from mesh.errors import DataLoss

_log = structlog.stdlib.get_logger(__name__)
_LAG: Final = Gauge("bus_follower_lag_records", "Messages not yet applied.", ["follower"])
_POLL_MS: Final = 250


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class PositionLost(DataLoss):
    """Kafka no longer has the offset to go on from: load a newer snapshot."""

    reason = "POSITION_LOST"


Apply = Callable[[Sequence[Message]], Awaitable[None]]


class Follower:
    """Read partitions on and on, from given offsets.

    Blocks: `run`, forever; `caught_up`, until everything that was there at the start is applied.
    Cancels: `run` stops where it is. Fails: `run` with PositionLost. What `apply` raises is
    logged, and the same messages are applied again, after a pause, until it succeeds: a
    projection must not skip.
    """

    def __init__(self, bootstrap: str, name: str, apply: Apply, *, batch: int = 1000) -> None:
        self._bootstrap = bootstrap
        self._name = name
        self._apply = apply
        self._batch = batch
        self._next: dict[Place, int] = {}
        self._ends: dict[Place, int] = {}
        self._caught_up = asyncio.Event()
        self._last_ms: int | None = None

    @property
    def positions(self) -> dict[Place, int]:
        """Return the next offset to be applied, by partition."""
        return dict(self._next)

    @property
    def lag_records(self) -> int:
        """Return how many messages are known and not applied."""
        return sum(max(0, end - self._next.get(place, 0)) for place, end in self._ends.items())

    @property
    def lag_seconds(self) -> float:
        """Return how old the last applied message was when there are newer ones; else 0."""
        if not self.lag_records or self._last_ms is None:
            return 0.0
        return max(0.0, time.time() - self._last_ms / 1000)

    async def caught_up(self) -> None:
        """Wait until everything that was in Kafka when `run` connected is applied."""
        await self._caught_up.wait()

    async def run(self, positions: Mapping[Place, int | None]) -> None:
        """Apply each partition's messages from its offset on; None is from the beginning."""
        self._next = {place: offset or 0 for place, offset in positions.items()}
        from_start = {place for place, offset in positions.items() if offset is None}
        backoff = Backoff()
        while True:
            client = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                client_id=self._name,
                group_id=None,
                enable_auto_commit=False,
                retry_backoff_ms=RETRY_MS,
                auto_offset_reset="none",
                max_poll_records=self._batch,
            )
            try:
                await client.start()
                await self._position(client, from_start)
                backoff.reset()
                while True:
                    await self._poll(client)
                    from_start.clear()
            except OffsetOutOfRangeError as error:
                raise PositionLost(f"{self._name}: {error}") from error
            except (KafkaError, OSError) as error:
                _log.warning("follower lost Kafka", follower=self._name, error=repr(error))
            finally:
                await client.stop()
            await backoff.pause()

    async def _position(self, client: Any, from_start: set[Place]) -> None:
        partitions = [TopicPartition(*place) for place in self._next]
        client.assign(partitions)
        if from_start:
            starts = await client.beginning_offsets([TopicPartition(*p) for p in from_start])
            self._next |= {Place(*tp): offset for tp, offset in starts.items()}
        for place, offset in self._next.items():
            client.seek(TopicPartition(*place), offset)
        ends = await client.end_offsets(partitions)
        self._ends = {Place(*tp): offset for tp, offset in ends.items()}
        self._note()

    async def _poll(self, client: Any) -> None:
        batches = await client.getmany(timeout_ms=_POLL_MS)
        for tp in client.assignment():
            end = client.highwater(tp)
            if end is not None:
                self._ends[Place(*tp)] = end
        if batches:
            await self._applied(batches)
        self._note()

    async def _applied(self, batches: Mapping[Any, Sequence[Any]]) -> None:
        messages = [Message.of(record) for records in batches.values() for record in records]
        backoff = Backoff()
        while True:
            try:
                await self._apply(messages)
                break
            except Exception as error:
                _log.exception("not applied", follower=self._name, error=repr(error))
                await backoff.pause()
        for message in messages:
            self._next[Place(message.topic, message.partition)] = message.offset + 1
            self._last_ms = message.timestamp_ms

    def _note(self) -> None:
        _LAG.labels(self._name).set(self.lag_records)
        if not self._caught_up.is_set() and not self.lag_records:
            self._caught_up.set()
