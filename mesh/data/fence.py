"""A lock per listing that hands out fencing tokens; the database, not the lock, is the guarantee.

Why a lock at all: rivals for one listing would fight it out inside SERIALIZABLE, where all but one
are rolled back and try again. With the lock they arrive one after another. Why a token: a lock
with a time limit can be lost without its holder knowing (a pause, a slow network); PostgreSQL
keeps the last token it saw per listing and refuses an older one (Kleppmann, "How to do distributed
locking", 2016).

The token is a counter in Redis and only grows. When Redis has lost it (a restart, an eviction), the
caller reads the floor from PostgreSQL, and counting goes on a good way above it: tokens that were
handed out and have not reached PostgreSQL stay below. When Redis went *back* (a failover to an
older copy), PostgreSQL refuses the token; then `forget` the counter and acquire again.

When Redis is down there is no token (None), at once, and bookings go on without: the check is
skipped and rivals meet in the database.
"""

import asyncio
import contextlib
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import Counter

from mesh.aio import Keyed, within
from mesh.data.redis import CacheUnavailable, Redis

_ACQUIRED: Final = Counter("fence_acquired_total", "Fences by outcome.", ["outcome"])
_TTL_SECONDS: Final = 3.0
_COUNTER_SECONDS: Final = 7 * 86_400
"""Long after the last booking of a listing its counter may go; the floor is in PostgreSQL."""
_GAP: Final = 1024
_SHORTEST_PAUSE_SECONDS: Final = 0.003
_LONGEST_PAUSE_SECONDS: Final = 0.02
_BUSY: Final = 0
_COUNTER_LOST: Final = -1

# Take the lock and count up. 0: another holds it. -1: taken, but the counter is lost.
_TAKE: Final = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then return -1 end
redis.call('EXPIRE', KEYS[2], ARGV[3])
return redis.call('INCR', KEYS[2])
"""
# Set the counter to the floor unless it is there, and count up. 0: the lock was lost meanwhile.
_RESTORE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'NX', 'EX', ARGV[3])
return redis.call('INCR', KEYS[2])
"""
# Give the lock back, if it is still ours.
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

ReadFloor = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Fence:
    """What a holder shows to PostgreSQL; None says that there was nobody to count."""

    token: int | None


class Fences:
    """The locks of all listings.

    Blocks: `acquire`, while another holds the listing. Cancels: nothing is left behind but, at
    worst, the lock until its time limit. Fails: DeadlineExceeded when the request's time runs out
    while waiting, Exhausted when too many wait, whatever `read_floor` raises; never for Redis.
    """

    def __init__(self, redis: Redis, *, ttl_seconds: float = _TTL_SECONDS) -> None:
        self._redis = redis
        self._ttl_ms = int(ttl_seconds * 1000)
        self._rivals_here: Keyed[str] = Keyed()
        self._take = redis.register_script(_TAKE)
        self._restore = redis.register_script(_RESTORE)
        self._release = redis.register_script(_RELEASE)

    @contextlib.asynccontextmanager
    async def acquire(self, listing_id: str, read_floor: ReadFloor) -> AsyncIterator[Fence]:
        """Hold the listing for the block.

        `read_floor` returns the last token PostgreSQL has seen for it, 0 for none. Rivals in this
        process queue here, in order, so that Redis sees one of them at a time.
        """
        async with self._rivals_here.lock(listing_id):
            keys = (f"{{{listing_id}}}:lock", f"{{{listing_id}}}:fence")
            owner = secrets.token_hex(8)
            try:
                yield Fence(await self._acquired(keys, owner, read_floor))
            finally:
                with contextlib.suppress(CacheUnavailable):
                    await self._release(keys=keys[:1], args=[owner])

    async def forget(self, listing_id: str) -> None:
        """Drop the counter that PostgreSQL has refused; the next `acquire` reads the floor."""
        with contextlib.suppress(CacheUnavailable):
            await self._redis.delete(f"{{{listing_id}}}:fence")

    async def _acquired(
        self, keys: tuple[str, str], owner: str, read_floor: ReadFloor
    ) -> int | None:
        try:
            async with within():
                token = await self._wait(keys, owner)
                if token == _COUNTER_LOST:
                    token = await self._call(
                        self._restore, keys, owner, await read_floor() + _GAP, _COUNTER_SECONDS
                    )
        except CacheUnavailable:
            _ACQUIRED.labels("without").inc()
            return None
        if token == _BUSY:  # the floor took longer than the lock's time limit
            _ACQUIRED.labels("lost").inc()
            return None
        _ACQUIRED.labels("token").inc()
        return token

    async def _wait(self, keys: tuple[str, str], owner: str) -> int:
        while True:
            token = await self._call(self._take, keys, owner, self._ttl_ms, _COUNTER_SECONDS)
            if token != _BUSY:
                return token
            pause = random.uniform(  # noqa: S311  (jitter, not a secret)
                _SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS
            )
            await asyncio.sleep(pause)

    @staticmethod
    async def _call(script: Any, keys: tuple[str, str], *args: str | int) -> int:
        return int(await script(keys=list(keys), args=list(args)))
