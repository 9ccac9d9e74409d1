"""Cache-aside: look in Redis, else ask the source and leave the answer in Redis.

One ask per key and process at a time, however many want it. That there is nothing is remembered
too, for a shorter time. Times to live are spread by a tenth, so that what was loaded together does
not expire together. Without Redis every ask goes to the source, still one at a time per key.
"""

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import structlog
from prometheus_client import Counter

from mesh.aio import SingleFlight
from mesh.data.redis import CacheUnavailable, Redis

T = TypeVar("T")
_log = structlog.stdlib.get_logger(__name__)
_ASKED: Final = Counter("cache_requests_total", "Lookups by outcome.", ["cache", "outcome"])
_NOTHING: Final = b"-"
_SOMETHING: Final = b"+"
_SPREAD: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """How long answers are kept; `load_seconds` bounds one ask of the source."""

    name: str
    """Names the metric, and is the prefix of the keys: change it when the format changes."""
    ttl_seconds: float
    nothing_seconds: float = 5.0
    load_seconds: float = 5.0


class Cache(Generic[T]):
    """A cache of one kind of thing.

    Blocks: `get`, while Redis or the source is asked. Cancels: a caller leaves; the ask goes on
    while others wait. Fails: with the source's error, which is not cached; never for Redis.
    """

    def __init__(
        self,
        redis: Redis,
        settings: CacheSettings,
        *,
        encode: Callable[[T], bytes],
        decode: Callable[[bytes], T],
        seconds_of: Callable[[T], float] | None = None,
    ) -> None:
        """`seconds_of` says how long an answer is good for, 0 for not at all; else the settings."""
        self._redis = redis
        self._settings = settings
        self._encode = encode
        self._decode = decode
        self._seconds_of = seconds_of or (lambda _: settings.ttl_seconds)
        self._flights: SingleFlight[str, T | None] = SingleFlight(settings.load_seconds)

    async def get(self, key: str, load: Callable[[], Awaitable[T | None]]) -> T | None:
        """Return what is cached under `key`, or what `load` returns; None is nothing.

        `load` must not depend on who asks: its answer is shared.
        """
        return await self._flights.do(key, lambda: self._look(key, load))

    async def forget(self, key: str) -> None:
        """Drop `key`, so that the next `get` asks the source; without Redis, do nothing."""
        try:
            await self._redis.delete(self._full(key))
        except CacheUnavailable:
            self._count("degraded")

    async def _look(self, key: str, load: Callable[[], Awaitable[T | None]]) -> T | None:
        try:
            stored: Any = await self._redis.get(self._full(key))
        except CacheUnavailable:
            self._count("degraded")
            return await load()
        if stored == _NOTHING:
            self._count("nothing")
            return None
        if stored is not None:
            try:
                value = self._decode(stored.removeprefix(_SOMETHING))
            except ValueError as error:
                _log.warning("cached bytes not understood", key=self._full(key), error=repr(error))
            else:
                self._count("hit")
                return value
        self._count("miss")
        value_or_none = await load()
        await self._keep(key, value_or_none)
        return value_or_none

    async def _keep(self, key: str, value: T | None) -> None:
        settings = self._settings
        if value is None:
            body, ttl = _NOTHING, settings.nothing_seconds
        else:
            body, ttl = _SOMETHING + self._encode(value), self._seconds_of(value)
        if ttl <= 0:
            return
        spread = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311  (not a secret)
        try:
            await self._redis.set(self._full(key), body, px=max(1, int(ttl * spread * 1000)))
        except CacheUnavailable:
            self._count("degraded")

    def _full(self, key: str) -> str:
        return f"{self._settings.name}:{key}"

    def _count(self, outcome: str) -> None:
        _ASKED.labels(self._settings.name, outcome).inc()


def json_cache(redis: Redis, settings: CacheSettings) -> Cache[Any]:
    """Return a cache of JSON values."""
    return Cache(
        redis,
        settings,
        encode=lambda value: json.dumps(value, separators=(",", ":")).encode(),
        decode=json.loads,
    )


def bytes_cache(redis: Redis, settings: CacheSettings) -> Cache[bytes]:
    """Return a cache of bytes, such as encoded messages."""
    return Cache(redis, settings, encode=bytes, decode=bytes)
