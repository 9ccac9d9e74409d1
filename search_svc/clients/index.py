"""The listings in Elasticsearch."""

from collections.abc import Sequence
from typing import Any

from mesh.data.elastic import Elastic, IndexUnavailable
from search_svc.domain import index
from search_svc.domain.candidates import Batch
from search_svc.domain.listing import Listing, Position
from search_svc.domain.search import Criteria


class PartialAnswer(IndexUnavailable):
    """Some shards of the index did not answer, so listings would be missing unseen."""

    reason = "INDEX_PARTIAL"


class ListingIndex:
    """The index behind `alias`: searched by the alias, written by its own name."""

    def __init__(self, elastic: Elastic, alias: str) -> None:
        self._elastic = elastic
        self._alias = alias
        self._name = f"{alias}-v{index.VERSION}"

    async def ensure(self, refresh_seconds: int) -> bool:
        """Make the index if there is none; return whether it was made, and so is empty."""
        return await self._elastic.ensure_index(
            self._name,
            {
                "settings": {"index": index.settings(refresh_seconds)},
                "mappings": index.MAPPING,
                "aliases": {self._alias: {}},
            },
        )

    async def candidates(self, criteria: Criteria, after: Position | None, size: int) -> Batch:
        """Return the next candidates. Raise IndexUnavailable, also for a partial answer."""
        found = await self._elastic.search(self._alias, index.query(criteria, after, size))
        if found.partial:
            raise PartialAnswer("some shards of the index did not answer")
        cards = tuple(index.card(hit["_source"]) for hit in found.hits)
        return Batch(cards=cards, last=len(cards) < size)

    async def write(self, listings: Sequence[Listing]) -> None:
        """Bring documents up to these versions; a newer one that is there stays.

        Raise IndexUnavailable, or IndexRefused when there is a listing that it cannot take.
        """
        lines: list[dict[str, Any]] = []
        for listing in listings:
            where = {
                "_index": self._name,
                "_id": listing.listing_id,
                "version": listing.version,
                "version_type": "external_gte",
            }
            if listing.active:
                lines += [{"index": where}, index.document(listing)]
            else:
                lines.append({"delete": where})
        await self._elastic.bulk(lines)

    async def refresh(self) -> None:
        """Let searches see all that was written."""
        await self._elastic.refresh(self._name)
