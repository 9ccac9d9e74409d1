"""Fencing tokens: only growing, one holder at a time, and none at all when Redis is down."""

import asyncio

import pytest

from mesh.aio import within
from mesh.data.failures import DatabaseUnavailable
from mesh.data.fence import Fences
from mesh.data.redis import Redis
from mesh.errors import DeadlineExceeded
from mesh.ids import new_id


class Database:
    """What PostgreSQL remembers: the last token it saw."""

    def __init__(self) -> None:
        self.last = 0
        self.reads = 0

    async def floor(self) -> int:
        self.reads += 1
        return self.last


@pytest.fixture
def listing() -> str:
    return new_id("lst", now_ms=0)


async def token_of(fences: Fences, listing: str, database: Database) -> int | None:
    async with fences.acquire(listing, database.floor) as fence:
        return fence.token


async def test_tokens_only_grow_and_the_floor_is_read_once(redis: Redis, listing: str) -> None:
    fences, database = Fences(redis), Database()
    tokens = [await token_of(fences, listing, database) for _ in range(5)]
    assert None not in tokens
    assert tokens == sorted(set(tokens), key=lambda token: token or 0)
    assert database.reads == 1


async def test_tokens_grow_across_a_loss_of_everything_in_redis(redis: Redis, listing: str) -> None:
    fences, database = Fences(redis), Database()
    seen_by_the_database = await token_of(fences, listing, database)
    handed_out_and_still_under_way = await token_of(fences, listing, database)
    assert seen_by_the_database
    assert handed_out_and_still_under_way
    database.last = seen_by_the_database
    await redis.flushall()
    after = await token_of(fences, listing, database)
    assert after
    assert after > handed_out_and_still_under_way
    assert database.reads == 2


async def test_a_counter_that_went_back_is_forgotten_and_starts_above_the_floor(
    redis: Redis, listing: str
) -> None:
    fences, database = Fences(redis), Database()
    database.last = 5000
    await redis.set(f"{{{listing}}}:fence", 10)  # as an older copy has it after a failover
    assert await token_of(fences, listing, database) == 11
    await fences.forget(listing)
    token = await token_of(fences, listing, database)
    assert token
    assert token > 5000


async def test_one_holder_at_a_time_in_all_processes(redis: Redis, listing: str) -> None:
    database, inside = Database(), 0
    tokens: list[int] = []

    async def book(fences: Fences) -> None:
        nonlocal inside
        async with fences.acquire(listing, database.floor) as fence:
            inside += 1
            assert inside == 1
            assert fence.token
            tokens.append(fence.token)
            await asyncio.sleep(0)
            inside -= 1

    processes = [Fences(redis) for _ in range(4)]
    async with within(30):
        await asyncio.gather(*(book(fences) for fences in processes for _ in range(10)))
    assert len(set(tokens)) == 40
    assert tokens == sorted(tokens)


async def test_listings_do_not_wait_for_each_other(redis: Redis, listing: str) -> None:
    fences, database = Fences(redis), Database()
    async with fences.acquire(listing, database.floor), within(1):
        assert await token_of(fences, new_id("lst", now_ms=0), database)


async def test_a_holder_that_died_is_replaced_when_its_time_is_over(
    redis: Redis, listing: str
) -> None:
    database = Database()
    short, other = Fences(redis, ttl_seconds=0.2), Fences(redis)
    async with (
        short.acquire(listing, database.floor) as dead,
        other.acquire(listing, database.floor) as alive,
    ):
        assert alive.token
        assert dead.token
        assert alive.token > dead.token


async def test_a_late_release_leaves_the_successors_lock_alone(redis: Redis, listing: str) -> None:
    database = Database()
    late = Fences(redis, ttl_seconds=0.1).acquire(listing, database.floor)
    successor = Fences(redis).acquire(listing, database.floor)
    await late.__aenter__()
    await successor.__aenter__()
    await late.__aexit__(None, None, None)
    assert await redis.exists(f"{{{listing}}}:lock")
    await successor.__aexit__(None, None, None)
    assert not await redis.exists(f"{{{listing}}}:lock")


async def test_waiting_ends_with_the_deadline(redis: Redis, listing: str) -> None:
    database = Database()
    async with Fences(redis, ttl_seconds=30).acquire(listing, database.floor):
        with pytest.raises(DeadlineExceeded):
            async with within(0.1):
                await token_of(Fences(redis), listing, database)


async def test_without_redis_there_is_no_token_and_no_wait(no_redis: Redis, listing: str) -> None:
    fences, database = Fences(no_redis), Database()
    async with within(2):
        tokens = [await token_of(fences, listing, database) for _ in range(200)]
    assert set(tokens) == {None}
    assert database.reads == 0


async def test_a_database_that_cannot_tell_the_floor_frees_the_lock(
    redis: Redis, listing: str
) -> None:
    async def broken() -> int:
        raise DatabaseUnavailable

    with pytest.raises(DatabaseUnavailable):
        async with Fences(redis).acquire(listing, broken):
            raise AssertionError("there is no token to run with")
    assert not await redis.exists(f"{{{listing}}}:lock")
