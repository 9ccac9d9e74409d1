"""The indexing worker, over fakes: what it refuses, what it outdates, what it does when alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from mesh.errors import Internal, Unavailable
from search_svc.domain.listing import Listing
from search_svc.domain.place import Area, Point
from search_svc.flows.index_listings import IndexListings
from tests.unit.search_svc.makers import listing


@dataclass
class World:
    """The projection, the index and the cache's counters, with a log of what was called."""

    listings: dict[str, Listing]
    indexed: dict[str, int] = field(default_factory=dict)
    documents: dict[str, int] | None = None
    refused: set[str] = field(default_factory=set)
    redis_down: bool = False
    log: list[str] = field(default_factory=list)

    async def waiting(self, count: int) -> list[Listing]:
        ids = sorted(k for k, v in self.listings.items() if self.indexed.get(k) != v.version)
        return [self.listings[one] for one in ids[:count]]

    async def mark_indexed(self, versions: Mapping[str, int]) -> None:
        self.indexed |= versions

    async def forget_indexed(self) -> None:
        self.log.append("forget")
        self.indexed.clear()

    async def ensure(self, refresh_seconds: int) -> bool:
        if self.documents is not None:
            return False
        self.documents = {}
        return True

    async def write(self, listings: Sequence[Listing]) -> None:
        assert self.documents is not None
        if any(one.listing_id in self.refused for one in listings):
            raise Internal("a document is refused")
        self.log.append("write")
        self.documents |= {one.listing_id: one.version for one in listings}

    async def refresh(self) -> None:
        self.log.append("refresh")

    async def of(self, area: Area) -> str:
        return ""

    async def advance(self, points: Iterable[Point]) -> None:
        if self.redis_down:
            raise Unavailable("Redis is down")
        self.log.append(f"advance {len(set(points))}")


def world(count: int) -> World:
    made = [listing(n, point=Point(n, n)) for n in range(count)]
    return World(listings={one.listing_id: one for one in made})


async def test_what_is_cached_is_outdated_after_searches_can_see_what_is_new() -> None:
    here = world(3)
    assert await IndexListings(here, here, here, refresh_seconds=0).catch_up() == 3
    assert here.log == ["forget", "write", "refresh", "advance 3"]
    assert here.documents == here.indexed


async def test_before_the_index_is_due_to_refresh_nothing_is_outdated() -> None:
    here = world(3)
    await IndexListings(here, here, here, refresh_seconds=30).catch_up()
    assert here.log == ["forget", "write"]


async def test_a_document_that_is_refused_keeps_no_other_out() -> None:
    here = world(6)
    bad = sorted(here.listings)[2]
    here.refused = {bad}
    assert await IndexListings(here, here, here, refresh_seconds=30).catch_up() == 6
    assert here.documents is not None
    assert here.documents.keys() == here.listings.keys() - {bad}
    assert await here.waiting(10) == []


async def test_without_redis_listings_are_indexed_all_the_same() -> None:
    here = world(2)
    here.redis_down = True
    assert await IndexListings(here, here, here, refresh_seconds=0).catch_up() == 2
    assert here.documents == here.indexed


async def test_an_outage_of_the_index_leaves_the_listings_waiting() -> None:
    here = world(2)

    async def down(listings: Sequence[Listing]) -> None:
        raise Unavailable("Elasticsearch is down")

    here.write = down  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await IndexListings(here, here, here, refresh_seconds=0).catch_up()
    assert len(await here.waiting(10)) == 2
