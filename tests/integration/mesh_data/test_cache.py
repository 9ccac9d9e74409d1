"""The cache: one load for a stampede, and never in the way when Redis is down."""

import asyncio

import pytest
from redis.exceptions import ResponseError

from mesh.data.cache import CacheSettings, bytes_cache, json_cache
from mesh.data.redis import CacheUnavailable, Redis
from mesh.ids import new_id


class Source:
    """A slow source that counts how often it is asked."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked = 0

    async def load(self) -> object:
        self.asked += 1
        await asyncio.sleep(0)
        return self.answer


@pytest.fixture
def settings() -> CacheSettings:
    return CacheSettings(name=new_id("tst", now_ms=0), ttl_seconds=60)


async def test_a_stampede_is_one_load(redis: Redis, settings: CacheSettings) -> None:
    cache, source = json_cache(redis, settings), Source({"city": "Zürich"})
    answers = await asyncio.gather(*(cache.get("k", source.load) for _ in range(100)))
    assert answers == [{"city": "Zürich"}] * 100
    assert await cache.get("k", source.load) == {"city": "Zürich"}
    assert source.asked == 1


async def test_that_there_is_nothing_is_remembered(redis: Redis, settings: CacheSettings) -> None:
    cache, source = json_cache(redis, settings), Source(None)
    assert await cache.get("k", source.load) is None
    assert await cache.get("k", source.load) is None
    assert source.asked == 1
    left = await redis.pttl(f"{settings.name}:k")
    assert 0 < left <= 5500


async def test_times_to_live_are_spread(redis: Redis, settings: CacheSettings) -> None:
    cache, source = json_cache(redis, settings), Source(1)
    for n in range(20):
        await cache.get(str(n), source.load)
    left = [await redis.pttl(f"{settings.name}:{n}") for n in range(20)]
    assert min(left) > 53_000
    assert max(left) <= 66_000
    assert max(left) - min(left) > 1000


async def test_what_is_forgotten_is_loaded_again(redis: Redis, settings: CacheSettings) -> None:
    cache, source = bytes_cache(redis, settings), Source(b"-")
    assert await cache.get("k", source.load) == b"-"  # type: ignore[arg-type]
    await cache.forget("k")
    source.answer = b""
    assert await cache.get("k", source.load) == b""  # type: ignore[arg-type]
    assert await cache.get("k", source.load) == b""  # type: ignore[arg-type]
    assert source.asked == 2


async def test_an_error_of_the_source_is_not_cached(redis: Redis, settings: CacheSettings) -> None:
    cache, source = json_cache(redis, settings), Source("fine")

    async def broken() -> object:
        raise LookupError

    with pytest.raises(LookupError):
        await cache.get("k", broken)
    assert await cache.get("k", source.load) == "fine"


async def test_bytes_nobody_understands_are_replaced(redis: Redis, settings: CacheSettings) -> None:
    cache, source = json_cache(redis, settings), Source(1)
    await redis.set(f"{settings.name}:k", b"+{broken")
    assert await cache.get("k", source.load) == 1
    assert await redis.get(f"{settings.name}:k") == b"+1"


async def test_without_redis_the_source_is_asked_still_once_for_a_stampede(
    no_redis: Redis, settings: CacheSettings
) -> None:
    cache, source = json_cache(no_redis, settings), Source("fine")
    answers = await asyncio.gather(*(cache.get("k", source.load) for _ in range(100)))
    assert set(answers) == {"fine"}
    assert source.asked == 1
    await cache.forget("k")


async def test_an_outage_is_unavailable_and_a_bug_of_ours_is_not(
    redis: Redis, no_redis: Redis
) -> None:
    for _ in range(5):  # beyond what opens the breaker
        with pytest.raises(CacheUnavailable):
            await no_redis.get("k")
        with pytest.raises(ResponseError):
            await redis.execute_command("NONSENSE")
    assert await redis.ping()
