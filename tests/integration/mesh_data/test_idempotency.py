"""One effect for one key, whoever crashes."""

import asyncio

import asyncpg
import pytest

from mesh.data.idempotency import Idempotency
from mesh.data.postgres import Shards
from mesh.data.sql import schema_of
from mesh.rpc.idempotency import IdempotencyStore, InProgress, Mismatch, Replay, Run, Scope

SCOPE = Scope("usr_1", "/staymesh.booking.v1.BookingService/CreateBooking", "key-1")
BODY = b"\x01" * 32


@pytest.fixture
def store(shards: Shards) -> IdempotencyStore:
    return Idempotency(shards)


async def test_of_a_hundred_simultaneous_calls_exactly_one_runs(store: IdempotencyStore) -> None:
    begun = await asyncio.gather(*(store.begin(SCOPE, BODY) for _ in range(100)))
    runs = [b for b in begun if isinstance(b, Run)]
    assert [run.attempt for run in runs] == [0]
    assert sum(isinstance(b, InProgress) and 0 < b.retry_after_seconds <= 30 for b in begun) == 99


async def test_the_answer_is_replayed(store: IdempotencyStore) -> None:
    run = await store.begin(SCOPE, BODY)
    assert isinstance(run, Run)
    await store.finish(SCOPE, run.attempt, b"answer")
    assert await store.begin(SCOPE, BODY) == Replay(b"answer")


async def test_another_body_under_the_same_key_is_a_mismatch(store: IdempotencyStore) -> None:
    run = await store.begin(SCOPE, BODY)
    assert isinstance(run, Run)
    other = b"\x02" * 32
    assert await store.begin(SCOPE, other) == Mismatch()
    await store.finish(SCOPE, run.attempt, b"answer")
    assert await store.begin(SCOPE, other) == Mismatch()


async def test_keys_of_other_callers_and_methods_are_other_calls(store: IdempotencyStore) -> None:
    scopes = [
        SCOPE,
        Scope("usr_2", SCOPE.method, SCOPE.key),
        Scope(SCOPE.caller, "/staymesh.booking.v1.BookingService/CancelBooking", SCOPE.key),
        Scope(SCOPE.caller, SCOPE.method, "key-2"),
    ]
    assert all([isinstance(await store.begin(scope, BODY), Run) for scope in scopes])


async def test_a_failed_call_can_be_tried_again_as_the_next_attempt(
    store: IdempotencyStore,
) -> None:
    first = await store.begin(SCOPE, BODY)
    assert isinstance(first, Run)
    await store.fail(SCOPE, first.attempt)
    assert await store.begin(SCOPE, BODY) == Run(1, first.first_seen)


async def test_a_crash_frees_the_key_when_its_lease_is_over(shards: Shards) -> None:
    store = Idempotency(shards, lease_seconds=0.0)
    first = await store.begin(SCOPE, BODY)
    assert isinstance(first, Run)
    assert await store.begin(SCOPE, BODY) == Run(1, first.first_seen)


async def test_a_late_finisher_does_not_speak_for_the_next_attempt(shards: Shards) -> None:
    expired, lasting = Idempotency(shards, lease_seconds=0.0), Idempotency(shards)
    first = await expired.begin(SCOPE, BODY)
    second = await lasting.begin(SCOPE, BODY)
    assert isinstance(first, Run)
    assert isinstance(second, Run)
    await lasting.finish(SCOPE, first.attempt, b"late")
    await lasting.fail(SCOPE, first.attempt)
    assert isinstance(await lasting.begin(SCOPE, BODY), InProgress)
    await lasting.finish(SCOPE, second.attempt, b"right")
    assert await lasting.begin(SCOPE, BODY) == Replay(b"right")


async def test_a_failure_after_the_answer_does_not_take_the_answer_back(
    store: IdempotencyStore,
) -> None:
    run = await store.begin(SCOPE, BODY)
    assert isinstance(run, Run)
    await store.finish(SCOPE, run.attempt, b"answer")
    await store.fail(SCOPE, run.attempt)
    assert await store.begin(SCOPE, BODY) == Replay(b"answer")


async def test_old_keys_are_forgotten_and_young_ones_are_not(
    shards: Shards, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    store = Idempotency(shards)
    for n in range(40):
        run = await store.begin(Scope(f"usr_{n}", SCOPE.method, "k"), BODY)
        assert isinstance(run, Run)
        await store.finish(Scope(f"usr_{n}", SCOPE.method, "k"), run.attempt, b"a")
    for shard in shards.numbers:
        await admin.execute(
            f"UPDATE {schema_of(shard)}.idempotency SET lease_until = '-infinity', "
            "first_seen = first_seen - interval '73 hours' WHERE user_id LIKE 'usr_3%'"
        )
    assert await store.purge() == 11
    assert isinstance(await store.begin(Scope("usr_3", SCOPE.method, "k"), BODY), Run)
    assert isinstance(await store.begin(Scope("usr_4", SCOPE.method, "k"), BODY), Replay)
