"""The outbox: nothing lost, and order per aggregate, whoever dies when."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer

from mesh.aio import RequestContext, TraceContext, use_context, within
from mesh.bus import Message, Outbound, Producer, partition_of
from mesh.data import inbox
from mesh.data.outbox import OutboxRow, Relay, RelaySettings, add
from mesh.data.postgres import Shards, Transaction
from mesh.data.sql import schema_of
from mesh.ids import new_id

QUICK = RelaySettings(idle_seconds=0.01, standby_seconds=0.05)


def key(bucket: int) -> str:
    return new_id("bkg", now_ms=0, bucket=bucket)


async def leave(shards: Shards, topic: str, key: str, *payloads: bytes) -> None:
    rows = [OutboxRow(topic=topic, key=key, kind="test.happened", payload=p) for p in payloads]
    await shards.transact(shards.of(key), lambda tx: add(tx, *rows))


async def waiting(admin: "asyncpg.Connection[asyncpg.Record]") -> int:
    counts = [f"(SELECT count(*) FROM {schema_of(n)}.outbox)" for n in range(16)]
    return int(await admin.fetchval(f"SELECT {' + '.join(counts)}"))


async def until_empty(admin: "asyncpg.Connection[asyncpg.Record]") -> None:
    async with within(20):
        while await waiting(admin):  # noqa: ASYNC110  (only the table can tell)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def relaying(*relays: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def published(bootstrap: str, topic: str) -> list[Message]:
    """Read everything that is in the topic now."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        left = sum(ends.values())
        found: list[Message] = []
        async with within(20):
            while len(found) < left:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [Message.of(record) for record in records]
        return found
    finally:
        await consumer.stop()


class Dying(Producer):
    """A producer whose caller dies right after the acknowledgements."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap)
        self.published = asyncio.Event()

    async def publish(self, records: Sequence[Outbound]) -> list[Exception | None]:
        await super().publish(records)
        self.published.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_an_event_reaches_its_partition_with_its_trace(
    shards: Shards,
    admin: "asyncpg.Connection[asyncpg.Record]",
    kafka_bootstrap: str,
    topic: str,
    producer: Producer,
) -> None:
    trace = TraceContext("ab" * 16, "cd" * 8, True)
    aggregate = key(0x7FF)
    with use_context(RequestContext(trace=trace)):
        await leave(shards, topic, aggregate, b"\x00\xff")
    async with relaying(Relay(shards, producer, QUICK)):
        await until_empty(admin)
    (message,) = await published(kafka_bootstrap, topic)
    assert (message.key, message.payload, message.kind) == (
        aggregate,
        b"\x00\xff",
        "test.happened",
    )
    assert message.partition == partition_of(aggregate) == 7
    assert message.headers["traceparent"] == trace.traceparent


async def test_a_relay_killed_between_publishing_and_deleting_loses_nothing(
    shards: Shards,
    admin: "asyncpg.Connection[asyncpg.Record]",
    kafka_bootstrap: str,
    topic: str,
    producer: Producer,
) -> None:
    keys = [key(bucket) for bucket in (0, 1, 0x200, 0x201, 0xFFF)]
    for n in range(20):
        for k in keys:
            await leave(shards, topic, k, b"%d" % n)
    async with Dying(kafka_bootstrap) as dying, relaying(Relay(shards, dying, QUICK)):
        await dying.published.wait()
    assert await waiting(admin) == 100

    async with relaying(Relay(shards, producer, QUICK)):
        await until_empty(admin)
    messages = await published(kafka_bootstrap, topic)
    assert len(messages) == 200
    for k in keys:
        first_deliveries = list(dict.fromkeys(m.payload for m in messages if m.key == k))
        assert first_deliveries == [b"%d" % n for n in range(20)]


async def test_the_row_of_a_slow_transaction_is_not_skipped(
    shards: Shards,
    admin: "asyncpg.Connection[asyncpg.Record]",
    kafka_bootstrap: str,
    topic: str,
    producer: Producer,
) -> None:
    slow_has_inserted, others_are_published = asyncio.Event(), asyncio.Event()

    async def slowly(tx: Transaction) -> None:
        await add(tx, OutboxRow(topic=topic, key=key(1), kind="slow", payload=b"slow"))
        slow_has_inserted.set()
        await others_are_published.wait()

    async with relaying(Relay(shards, producer, QUICK)):
        slow = asyncio.create_task(shards.transact(0, slowly))
        await slow_has_inserted.wait()
        await leave(shards, topic, key(2), b"quick")
        await until_empty(admin)
        others_are_published.set()
        await slow
        await until_empty(admin)
    assert [m.payload for m in await published(kafka_bootstrap, topic)] == [b"quick", b"slow"]


async def test_of_two_relays_one_works_and_the_other_takes_over(
    shards: Shards,
    admin: "asyncpg.Connection[asyncpg.Record]",
    kafka_bootstrap: str,
    topic: str,
    producer: Producer,
) -> None:
    # The locks of this database alone: other services' relays work on the same server.
    holders = """
        SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
         WHERE locktype = 'advisory' AND granted AND objid = $1 AND datname = current_database()
    """
    async with relaying(Relay(shards, producer, QUICK), Relay(shards, producer, QUICK)):
        await leave(shards, topic, key(1), b"1")
        await until_empty(admin)
        (holder,) = await admin.fetch(holders, 0x5741_0002)
        await admin.execute("SELECT pg_terminate_backend($1)", holder["pid"])
        await leave(shards, topic, key(1), b"2")
        await until_empty(admin)
        (successor,) = await admin.fetch(holders, 0x5741_0002)
    assert successor["pid"] != holder["pid"]
    assert [m.payload for m in await published(kafka_bootstrap, topic)] == [b"1", b"2"]


async def test_an_event_that_cannot_be_sent_holds_back_only_its_own_aggregate(
    shards: Shards,
    admin: "asyncpg.Connection[asyncpg.Record]",
    kafka_bootstrap: str,
    topic: str,
    producer: Producer,
) -> None:
    huge, fine = key(1), key(2)
    await leave(shards, topic, huge, b"1", b"x" * 2_000_000, b"3")
    await leave(shards, topic, fine, b"1", b"2", b"3")
    async with relaying(Relay(shards, producer, QUICK)), within(20):
        while await waiting(admin) > 2:  # noqa: ASYNC110  (only the table can tell)
            await asyncio.sleep(0.01)
    messages = await published(kafka_bootstrap, topic)
    assert [m.payload for m in messages if m.key == huge] == [b"1"]
    assert [m.payload for m in messages if m.key == fine] == [b"1", b"2", b"3"]


async def test_while_kafka_is_away_rows_wait(
    shards: Shards, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    async with Producer("127.0.0.1:1") as nobody, relaying(Relay(shards, nobody, QUICK)):
        await leave(shards, "staymesh.bookings", key(1), b"1")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await until_empty(admin)
    assert await waiting(admin) == 1


async def test_an_event_is_taken_once_by_each_consumer(shards: Shards) -> None:
    both = asyncio.gather(
        *(shards.transact(0, lambda tx: inbox.first_time(tx, "indexer", "evt_1")) for _ in range(5))
    )
    assert sorted(await both) == [False, False, False, False, True]
    assert await shards.transact(0, lambda tx: inbox.first_time(tx, "mailer", "evt_1"))


async def test_old_inbox_rows_are_forgotten(shards: Shards) -> None:
    await shards.transact(3, lambda tx: inbox.first_time(tx, "indexer", "evt_1"))
    assert await inbox.purge(shards) == 0
    assert await inbox.purge(shards, kept_seconds=-1) == 1
