"""Publish records in order, waiting for Kafka for as long as it takes.

The producer is idempotent with acks=all: aiokafka then keeps one request in flight per partition
and repeats it under the same sequence number, so that retries neither reorder nor double. After a
failure that it does not retry, the session is thrown away: a new one starts a new sequence.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from mesh.aio import Keyed, within
from mesh.bus.backoff import Backoff
from mesh.bus.messages import Outbound
from mesh.bus.quiet import RETRY_MS
from mesh.bus.topics import BusUnavailable, partition_of
from mesh.errors import DeadlineExceeded
from mesh.ids import InvalidId

_log = structlog.stdlib.get_logger(__name__)
_REQUEST_MS: Final = 10_000
_METADATA_MS: Final = 30_000
_CLOSE_SECONDS: Final = 2.0
_UNSENDABLE: Final = (InvalidId, MessageSizeTooLargeError)


class HeldBack(BusUnavailable):
    """Not sent, because an earlier record of the same key, or the connection, failed."""


class _Session:
    """One life of a client, and the acknowledgements that are awaited from it."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._acks: set[asyncio.Future[Any]] = set()

    async def send(self, record: Outbound) -> "asyncio.Future[Any]":
        partition = record.partition
        ack: asyncio.Future[Any] = await self.client.send(
            record.topic,
            record.payload,
            key=record.key.encode(),
            partition=partition_of(record.key) if partition is None else partition,
            timestamp_ms=record.timestamp_ms,
            headers=[(name, value.encode()) for name, value in record.headers.items()],
        )
        self._acks.add(ack)
        ack.add_done_callback(self._seen)
        return ack

    def _seen(self, ack: "asyncio.Future[Any]") -> None:
        self._acks.discard(ack)
        if not ack.cancelled():
            ack.exception()  # looked at, even when the publisher was cancelled meanwhile

    async def stop(self) -> None:
        """Flush and disconnect; with the broker away that takes forever, so it has two seconds."""
        with contextlib.suppress(KafkaError, OSError, DeadlineExceeded):
            try:
                async with within(_CLOSE_SECONDS):
                    await self.client.stop()
            finally:
                # A `stop` cut short leaves its sender task and its sockets: these two end them.
                await self.client._sender.close()
                await self.client.client.close()
                for ack in list(self._acks):
                    if not ack.done():
                        ack.set_exception(KafkaConnectionError("the session was stopped"))


class Producer:
    """A connection to Kafka for publishing; made at the first use.

    Blocks: `publish`, until every record is acknowledged or has failed, and while Kafka is away.
    Cancels: what was handed to the client may still be sent; nobody is told. Fails: `publish`
    never raises for a record; it returns each record's error.
    """

    def __init__(self, bootstrap: str, *, client_id: str = "staymesh") -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._session: _Session | None = None
        self._starting: Keyed[str] = Keyed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.close()

    async def publish(self, records: Sequence[Outbound]) -> list[Exception | None]:
        """Send records in this order and return, for each, None (acknowledged) or its error.

        After a failed record no later one of its key is sent, so that order per key holds.
        """
        session = await self._connected()
        outcomes: list[Exception | None] = [None] * len(records)
        acks: dict[int, asyncio.Future[Any]] = {}
        held: set[str] = set()
        broken: KafkaError | None = None
        for index, record in enumerate(records):
            if broken or record.key in held:
                outcomes[index] = HeldBack()
                continue
            try:
                acks[index] = await session.send(record)
            except _UNSENDABLE as error:
                outcomes[index] = error
                held.add(record.key)
            except KafkaError as error:
                outcomes[index] = broken = error
        for index, ack in acks.items():
            try:
                await ack
            except KafkaError as error:
                outcomes[index] = broken = error
        if broken:
            _log.warning("publishing failed", error=repr(broken))
            await self._drop(session)
        return outcomes

    async def close(self) -> None:
        """Send what is pending, for two seconds at most, and disconnect."""
        if self._session is not None:
            await self._drop(self._session)

    async def _connected(self) -> _Session:
        async with self._starting.lock("session"):
            backoff = Backoff()
            while self._session is None:
                session = _Session(self._client())
                try:
                    await session.client.start()
                except (KafkaError, OSError) as error:
                    await session.stop()
                    if not backoff.failures:
                        _log.warning("Kafka is away", error=repr(error))
                    await backoff.pause()
                except BaseException:
                    await session.stop()
                    raise
                else:
                    self._session = session
            return self._session

    def _client(self) -> Any:
        return AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            retry_backoff_ms=RETRY_MS,
            acks="all",
            enable_idempotence=True,
            linger_ms=2,
            request_timeout_ms=_REQUEST_MS,
            metadata_max_age_ms=_METADATA_MS,
        )

    async def _drop(self, session: _Session) -> None:
        if self._session is session:
            self._session = None
        await session.stop()
