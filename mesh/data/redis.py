"""A Redis client that gives up quickly, because everything it holds can be had elsewhere.

No retries (the caller's fallback is the better one), short timeouts, and one breaker for all
commands: while Redis is down it costs nothing but a look at the breaker. Valkey speaks the same
protocol.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, Self

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from mesh.aio import Breaker
from mesh.errors import Unavailable

_SECONDS: Final = 0.5
_CONNECTIONS: Final = 32


class CacheUnavailable(Unavailable):
    """Redis cannot be reached, or is not being asked because it could not be reached just now."""

    reason = "CACHE_UNAVAILABLE"


class Redis(aioredis.Redis):
    """The client library's client, with the errors of an outage made CacheUnavailable.

    Blocks: a command, for half a second at most. Cancels: a command; its connection is dropped.
    Fails: CacheUnavailable; ResponseError (a bug of ours) as it is. A pipeline is not covered:
    put `redis_errors` around its `execute`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._breaker = Breaker("redis", failures=3, open_seconds=1.0, successes=1)

    @classmethod
    def open(cls, url: str, *, connections: int = _CONNECTIONS, seconds: float = _SECONDS) -> Self:
        """Make a client; it connects at the first command. Close it with `aclose`."""
        pool = aioredis.BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=seconds,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=Retry(NoBackoff(), 0),
        )
        client = cls(connection_pool=pool)
        client.auto_close_connection_pool = True
        return client

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command."""
        run: Callable[..., Awaitable[Any]] = super().execute_command

        async def guarded() -> Any:
            try:
                with redis_errors():
                    return await run(*args, **options)
            except ResponseError as error:
                return error  # an answer, which does not speak against the server

        try:
            answer = await self._breaker.run(guarded)
        except CacheUnavailable:
            raise
        except Unavailable as error:
            raise CacheUnavailable(error.message) from error
        if isinstance(answer, ResponseError):
            raise answer
        return answer


@contextlib.contextmanager
def redis_errors() -> Iterator[None]:
    """Make the errors of an outage CacheUnavailable."""
    try:
        yield
    except ResponseError:
        raise
    except (RedisError, OSError) as error:
        raise CacheUnavailable(type(error).__name__) from error
