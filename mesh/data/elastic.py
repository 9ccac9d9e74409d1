"""Elasticsearch: search that says when its answer is partial, and bulk writes that hide no failure.

An answer from only some shards looks like any other unless one reads `_shards`; here it is a
flag. Without Elasticsearch callers have another way (PostgreSQL), so there are no retries, and a
breaker keeps a dead node from costing every search its timeout.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from mesh.aio import Breaker, remaining
from mesh.errors import Internal, Unavailable

T = TypeVar("T")
_MADE_MEANWHILE: Final = "resource_already_exists_exception"
_OUTAGE: Final = frozenset({404, 408, 429, 502, 503, 504})
"""404 is an index not made yet: to a searcher the same as a node not there yet."""
_SEARCH_SECONDS: Final = 2.0
_WRITE_SECONDS: Final = 30.0


class IndexUnavailable(Unavailable):
    """Elasticsearch cannot be reached, is overloaded, or has no such index yet."""

    reason = "INDEX_UNAVAILABLE"


class IndexRefused(Internal):
    """Elasticsearch finds fault with the request or with a document: a bug of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """What a search found. `partial` says that some shards did not answer or time ran out."""

    hits: Sequence[Mapping[str, Any]]
    total: int
    partial: bool
    aggregations: Mapping[str, Any]
    took_ms: int


class Elastic:
    """A client of one cluster.

    Blocks: a call, for its timeout at most. Cancels: the call; the node may finish it. Fails:
    IndexUnavailable, IndexRefused.
    """

    def __init__(self, client: AsyncElasticsearch) -> None:
        self._client = client
        self._breaker = Breaker("elasticsearch", failures=3, open_seconds=2.0, successes=1)

    @classmethod
    def open(cls, url: str) -> Self:
        """Make a client; it connects at the first call. Close it with `close`."""
        return cls(AsyncElasticsearch([url], max_retries=0, retry_on_timeout=False))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()

    async def search(self, index: str, body: Mapping[str, Any]) -> Hits:
        """Run a search; the shards are given what is left of the request's time, or two seconds."""
        left = remaining()
        seconds = _SEARCH_SECONDS if left is None else min(left, _SEARCH_SECONDS)
        timed = {**body, "timeout": f"{max(1, int(seconds * 1000))}ms"}
        client = self._client.options(request_timeout=seconds)
        answer = await self._guarded(lambda: client.search(index=index, body=timed))
        hits = answer["hits"]
        return Hits(
            hits=hits["hits"],
            total=hits.get("total", {}).get("value", len(hits["hits"])),
            partial=bool(answer["timed_out"] or answer["_shards"]["failed"]),
            aggregations=answer.get("aggregations", {}),
            took_ms=answer["took"],
        )

    async def bulk(self, operations: Iterable[Mapping[str, Any]]) -> int:
        """Write a batch (action lines and documents) and return how many were new to the index.

        A version conflict (409) is a newer document already there, and a document that is to be
        deleted may not be there: neither is a failure, neither is counted.
        """
        body = list(operations)
        if not body:
            return 0
        client = self._client.options(request_timeout=_WRITE_SECONDS)
        answer = await self._guarded(lambda: client.bulk(operations=body))
        results = [result for item in answer["items"] for result in item.values()]
        failed = [r for r in results if not _is_well(r)]
        if failed:
            worst = failed[0]
            text = f"{len(failed)} of {len(results)} documents: {worst.get('error')}"
            raise (IndexUnavailable if worst["status"] in _OUTAGE else IndexRefused)(text)
        return sum(r["status"] < 300 for r in results)

    async def ensure_index(self, index: str, body: Mapping[str, Any]) -> bool:
        """Make an index if there is none of that name, and tell whether it was made."""

        async def make() -> bool:
            if await self._client.indices.exists(index=index):
                return False
            client = self._client.options(ignore_status=400)
            made = await client.indices.create(index=index, **body)
            if "error" in made and made["error"]["type"] != _MADE_MEANWHILE:
                raise IndexRefused(str(made["error"]))
            return "error" not in made

        return await self._guarded(make)

    async def refresh(self, index: str) -> None:
        """Make what was written visible to searches now."""
        await self._guarded(lambda: self._client.indices.refresh(index=index))

    async def ready(self) -> None:
        """Ask for an answer; raise IndexUnavailable."""
        await self._guarded(lambda: self._client.options(request_timeout=1.0).info())

    async def _guarded(self, call: Callable[[], Awaitable[T]]) -> T:
        async def answered() -> T | ApiError:
            try:
                return await call()
            except TransportError as error:
                raise IndexUnavailable(type(error).__name__) from error
            except ApiError as error:
                if error.meta.status in _OUTAGE:
                    raise IndexUnavailable(str(error)) from error
                return error  # an answer, which does not speak against the node

        try:
            answer = await self._breaker.run(answered)
        except IndexUnavailable:
            raise
        except Unavailable as error:
            raise IndexUnavailable(error.message) from error
        if isinstance(answer, ApiError):
            raise IndexRefused(str(answer)) from answer
        return answer


def _is_well(result: Mapping[str, Any]) -> bool:
    status: int = result["status"]
    return status < 300 or status == 409 or result.get("result") == "not_found"
