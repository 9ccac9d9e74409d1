"""Shards over a real PostgreSQL: isolation, retries, cancels, lost connections."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from prometheus_client import REGISTRY

from mesh.aio import within
from mesh.data.failures import (
    ConstraintViolation,
    DatabaseContended,
    DatabaseUnavailable,
    StatementFailed,
    WriteOutcomeUnknown,
)
from mesh.data.postgres import PostgresSettings, Shards, Transaction
from mesh.data.sql import Query, all_queries, load
from mesh.errors import DeadlineExceeded
from mesh.ids import new_id

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
FOLDER = Path(__file__).parent
q = load(FOLDER / "counters.sql")


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def activity(admin: Connection, state: str) -> list[asyncpg.Record]:
    return await admin.fetch(
        "SELECT pid, query FROM pg_stat_activity "
        "WHERE application_name = 'mesh_data_tests' AND state LIKE $1",
        state,
    )


async def until_running(admin: Connection, text: str) -> int:
    """Wait until a statement with `text` in it runs, and return its backend's pid."""
    async with within(5):
        while True:
            for row in await activity(admin, "active"):
                if text in row["query"]:
                    return int(row["pid"])
            await asyncio.sleep(0.01)


async def test_reads_are_read_only_and_writes_are_serializable(shards: Shards) -> None:
    show = Query.of("show", "Show.", "SELECT current_setting('transaction_isolation')")
    with pytest.raises(StatementFailed) as caught:
        await shards.fetch(0, q.put, "a", 1)
    assert caught.value.sqlstate == "25006"
    assert (await shards.write(0, show))[0][0] == "serializable"
    assert await shards.fetchval(0, show) == "read committed"


async def test_a_write_stays_in_its_shard_and_each_sees_all(shards: Shards) -> None:
    for n in shards.numbers:
        await shards.write(n, q.put, f"c{n}", n)
    assert await shards.fetchval(3, q.value, "c3") == 3
    assert await shards.fetchrow(3, q.value, "c4") is None
    rows = await shards.each(q.all_counters, 14)
    assert [tuple(row) for row in rows] == [("shard_14", "c14", 14), ("shard_15", "c15", 15)]


async def test_an_id_finds_its_shard(shards: Shards, settings: PostgresSettings) -> None:
    some_id = new_id("lst", now_ms=0, bucket=0xA01)
    assert shards.of(some_id) == 10
    async with await Shards.open(dataclasses.replace(settings, shards=1)) as one:
        assert one.of(some_id) == 0


async def test_json_comes_back_as_python_values(shards: Shards) -> None:
    note = {"tags": ["a", "ü"], "n": 1}
    assert (await shards.write(0, q.put_note, "n", note))[0]["note"] == note


async def test_two_conflicting_transactions_both_finish_and_none_is_lost(shards: Shards) -> None:
    await shards.write(0, q.put, "a", 0)
    both_have_read = asyncio.Barrier(2)
    runs: list[int] = []

    async def add(by: int) -> None:
        first = True

        async def body(tx: Transaction) -> None:
            nonlocal first
            runs.append(by)
            await tx.fetchval(q.value, "a")
            if first:
                first = False
                await both_have_read.wait()
            await tx.execute(q.bump, "a", by)

        await shards.transact(0, body)

    await asyncio.gather(add(1), add(10))
    assert await shards.fetchval(0, q.value, "a") == 11
    assert len(runs) == 3


async def test_write_skew_is_impossible(shards: Shards) -> None:
    """Each adds a row only while it sees none; READ COMMITTED would let both."""
    both_have_read = asyncio.Barrier(2)

    async def claim(name: str) -> bool:
        first = True

        async def body(tx: Transaction) -> bool:
            nonlocal first
            free = not await tx.fetch(q.all_counters, 0)
            if first:
                first = False
                await both_have_read.wait()
            if free:
                await tx.execute(q.put, name, 1)
            return free

        return await shards.transact(0, body)

    assert sorted(await asyncio.gather(claim("a"), claim("b"))) == [False, True]


async def test_a_hundred_rivals_on_one_row_all_get_through(shards: Shards) -> None:
    await shards.write(0, q.put, "hot", 0)
    await asyncio.gather(*(shards.write(0, q.bump, "hot", 1) for _ in range(100)))
    assert await shards.fetchval(0, q.value, "hot") == 100


async def test_rivalry_that_outlasts_the_deadline_is_contended(
    shards: Shards, other: Connection
) -> None:
    await shards.write(0, q.put, "a", 0)

    async def body(tx: Transaction) -> None:
        await tx.fetchval(q.value, "a")
        await other.execute("UPDATE shard_00.counters SET value = value + 1")
        await tx.execute(q.bump, "a", 1)

    with pytest.raises((DatabaseContended, DeadlineExceeded)):
        async with within(0.3):
            await shards.transact(0, body)


async def test_a_cancelled_transaction_leaves_nothing_open(
    shards: Shards, admin: Connection
) -> None:
    await shards.write(0, q.put, "a", 0)

    async def body(tx: Transaction) -> None:
        await tx.execute(q.bump, "a", 1)
        await tx.execute(q.wait, 30)

    task = asyncio.create_task(shards.transact(0, body))
    await until_running(admin, "pg_sleep")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await activity(admin, "active")
    assert not await activity(admin, "idle in transaction%")
    assert await shards.fetchval(0, q.value, "a") == 0
    await shards.write(0, q.bump, "a", 5)
    assert await shards.fetchval(0, q.value, "a") == 5


async def test_a_deadline_stops_the_statement_on_the_server(
    shards: Shards, admin: Connection
) -> None:
    with pytest.raises(DeadlineExceeded):
        async with within(0.1):
            await shards.fetch(0, q.wait, 30)
    assert not await activity(admin, "active")


async def test_a_commit_under_way_is_finished_before_the_cancel_goes_on(
    shards: Shards, admin: Connection
) -> None:
    await admin.execute(
        "CREATE OR REPLACE FUNCTION shard_00.dawdle() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$"
    )
    await admin.execute(
        "CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON shard_00.counters "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shard_00.dawdle()"
    )
    try:
        task = asyncio.create_task(shards.transact(0, lambda tx: tx.execute(q.put, "a", 7)))
        await until_running(admin, "COMMIT")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await shards.fetchval(0, q.value, "a") == 7
    finally:
        await admin.execute("DROP FUNCTION shard_00.dawdle CASCADE")


async def test_a_lost_connection_makes_a_writes_outcome_unknown(
    shards: Shards, admin: Connection
) -> None:
    await shards.write(0, q.put, "a", 0)
    task = asyncio.create_task(shards.write(0, q.bump_slowly, "a", 30))
    await admin.execute("SELECT pg_terminate_backend($1)", await until_running(admin, "pg_sleep"))
    with pytest.raises(WriteOutcomeUnknown):
        await task
    assert await shards.fetchval(0, q.value, "a") == 0


@pytest.mark.parametrize("kind", ["read", "idempotent write", "transaction"])
async def test_what_was_surely_not_committed_is_tried_once_more(
    shards: Shards, admin: Connection, kind: str
) -> None:
    await shards.write(0, q.put, "a", 0)
    calls: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "read": lambda: shards.fetch(0, q.wait, 0.5),
        "idempotent write": lambda: shards.write(0, q.bump_slowly, "a", 0.5, idempotent=True),
        "transaction": lambda: shards.transact(0, lambda tx: tx.execute(q.bump_slowly, "a", 0.5)),
    }
    task = asyncio.create_task(calls[kind]())
    await admin.execute("SELECT pg_terminate_backend($1)", await until_running(admin, "pg_sleep"))
    await task
    assert await shards.fetchval(0, q.value, "a") == (0 if kind == "read" else 1)


async def test_no_server_is_unavailable_at_once(settings: PostgresSettings) -> None:
    nowhere = "postgres://nobody@127.0.0.1:1/nothing"
    with pytest.raises(DatabaseUnavailable):
        await Shards.open(dataclasses.replace(settings, url=nowhere))


async def test_a_constraint_is_named_to_the_store(shards: Shards) -> None:
    await shards.write(0, q.put, "a", 0)
    with pytest.raises(ConstraintViolation) as caught:
        await shards.write(0, q.put, "a", 0)
    assert (caught.value.constraint, caught.value.table) == ("counters_pkey", "counters")
    with pytest.raises(ConstraintViolation) as caught:
        await shards.transact(0, lambda tx: tx.execute(q.bump, "a", 1000))
    assert caught.value.constraint == "counters_value_check"


@pytest.mark.parametrize("args", [("soon",), (), (1, 2)])
async def test_wrong_arguments_are_our_bug_and_not_an_outage(
    shards: Shards, args: tuple[object, ...]
) -> None:
    with pytest.raises(StatementFailed):
        await shards.fetch(0, q.wait, *args)


async def test_ready_answers_and_the_pools_are_measured(shards: Shards) -> None:
    await shards.ready()
    labels = [
        sample.labels["pool"]
        for metric in REGISTRY.collect()
        if metric.name == "db_connection_pool_max"
        for sample in metric.samples
    ]
    assert {label.rsplit("/", 1)[1] for label in labels} == {"read", "write"}
    assert {REGISTRY.get_sample_value("db_connection_pool_usage", {"pool": x}) for x in labels} == {
        0
    }


async def test_a_snapshot_does_not_see_what_comes_later(shards: Shards) -> None:
    await shards.transact(
        0, lambda tx: tx.copy("counters", ["name", "value"], [("a", 1), ("b", 2)])
    )
    async with shards.snapshot(0) as tx:
        assert await tx.fetchval(q.total) == 3
        await shards.write(0, q.put, "c", 4)
        assert [row["value"] async for row in tx.stream(q.all_counters, 0, prefetch=1)] == [1, 2]


async def test_shards_may_live_on_two_servers(
    shards: Shards, settings: PostgresSettings, database_url: str
) -> None:
    """The second server is the same one under another name; the map does not know."""
    moved = dataclasses.replace(settings, servers={database_url + "?": [3, 4]})
    async with await Shards.open(moved) as two:
        await two.write(3, q.put, "a", 1)
        await two.write(5, q.put, "b", 2)
        assert [row["name"] for row in await two.each(q.all_counters, 0)] == ["a", "b"]
        await two.ready()
    assert await shards.fetchval(3, q.value, "a") == 1


@pytest.mark.parametrize("servers", [{"a": [1], "b": [1]}, {"a": [16]}])
def test_a_shard_map_that_names_a_shard_twice_or_beyond_is_refused(
    servers: dict[str, list[int]],
) -> None:
    with pytest.raises(ValueError, match="shard map"):
        PostgresSettings(url="postgres://x", servers=servers).shards_by_server()


@pytest.mark.parametrize("query", all_queries(FOLDER), ids=lambda query: query.name)
async def test_every_query_here_prepares(shards: Shards, admin: Connection, query: Query) -> None:
    await admin.prepare(query.text_by_shard[0])
