"""Elasticsearch and PostgreSQL answer the same question alike: same listings, same order."""

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

import httpx
import pytest

from mesh.data.elastic import Elastic, IndexUnavailable
from mesh.data.migrate import migrate
from mesh.data.postgres import Shards
from search_svc.app import MIGRATIONS, postgres
from search_svc.clients.index import ListingIndex
from search_svc.domain.heard import Heard
from search_svc.domain.listing import Card, Listing, Position, PropertyType
from search_svc.domain.place import Area, Point, distance_km
from search_svc.domain.search import Criteria, Filters
from search_svc.flows.index_listings import IndexListings
from search_svc.flows.needs import CandidateSource
from search_svc.store.listings import Listings
from search_svc.store.projection import LISTINGS, Projection
from tests.integration.search_svc.events import some_id
from tests.unit.search_svc.makers import USUAL

AMENITIES = ("kitchen", "pool", "tv", "washer", "wifi")
COUNT = 200


def some_listing(chance: random.Random, centre: Point) -> Listing:
    """Return a listing that leaves some things unsaid."""
    spread = chance.choice([0.01, 0.2, 0.6])
    lng = centre.lng + chance.uniform(-spread, spread)
    return replace(
        USUAL,
        listing_id=some_id(chance),
        active=chance.random() < 0.9,
        point=Point(
            max(-90.0, min(90.0, centre.lat + chance.uniform(-spread, spread))),
            (lng + 180) % 360 - 180,
        ),
        property_type=chance.choice(list(PropertyType)),
        max_guests=chance.randrange(1, 9),
        bedrooms=chance.choice([None, 0, 1, 2, 5]),
        beds=chance.choice([None, 1, 2, 7]),
        bathrooms=chance.choice([None, 0.5, 1.0, 1.5, 3.0]),
        amenities=tuple(sorted(chance.sample(AMENITIES, chance.randrange(0, 6)))),
        instant_book=chance.random() < 0.5,
        superhost=chance.random() < 0.3,
        rating=round(chance.uniform(0, 5), 2),
        rank=chance.randrange(0, 50),  # so few that ids decide too
    )


def some_filters(chance: random.Random) -> Filters:
    def maybe(value: float) -> float:
        return value if chance.random() < 0.25 else 0

    kinds = [PropertyType.APARTMENT, PropertyType.HOUSE, PropertyType.ROOM]
    return Filters(
        guests=chance.choice([1, 1, 2, 5]),
        amenities=tuple(sorted(chance.sample(AMENITIES, chance.choice([0, 0, 0, 1, 2])))),
        property_types=tuple(sorted(chance.sample(kinds, chance.choice([0, 0, 1, 2])))),
        instant_book=chance.choice([None, None, True, False]),
        superhost=chance.choice([None, None, None, True, False]),
        min_bedrooms=int(maybe(1)),
        min_beds=int(maybe(2)),
        min_bathrooms=maybe(1.0),
        min_rating=maybe(2.5),
    )


@pytest.fixture
async def shards(fresh_database: str) -> AsyncIterator[Shards]:
    settings = postgres(fresh_database, "search-tests")
    await migrate(settings, MIGRATIONS)
    async with await Shards.open(settings) as opened:
        yield opened


@pytest.fixture
async def elastic(elasticsearch_url: str, alias: str) -> AsyncIterator[Elastic]:
    async with Elastic.open(elasticsearch_url) as opened:
        yield opened


async def walk(source: CandidateSource, criteria: Criteria, size: int) -> list[Card]:
    cards: list[Card] = []
    after: Position | None = None
    while True:
        batch = await source.candidates(criteria, after, size)
        cards += batch.cards
        after = batch.end
        if batch.last:
            return cards


@pytest.mark.parametrize(
    "centre",
    [Point(38.7, -9.1), Point(-17.7, 179.95), Point(78.2, 15.6), Point(0.0, 0.0)],
    ids=["lisbon", "fiji, over the 180th meridian", "svalbard", "null island"],
)
async def test_both_find_the_same_candidates_in_the_same_order(
    shards: Shards, elastic: Elastic, alias: str, centre: Point
) -> None:
    chance = random.Random()
    made = [some_listing(chance, centre) for _ in range(COUNT)]
    listings, index = Listings(shards), ListingIndex(elastic, alias)
    await told(Projection(shards), made)
    assert await IndexListings(listings, index, Nothing(), refresh_seconds=30).catch_up() == COUNT
    assert await listings.waiting(10) == []
    await elastic.refresh(alias)
    ours = {one.listing_id for one in made}
    found = 0
    for _ in range(15):
        filters = some_filters(chance)
        area = Area(centre=centre, radius_km=chance.choice([1, 15, 60]))
        criteria = Criteria(area=area, filters=filters)
        size = chance.choice([40, 300])
        by_index = [c for c in await walk(index, criteria, size) if c.listing_id in ours]
        by_projection = await walk(listings, criteria, size)
        assert by_index == by_projection, criteria
        found += len(by_projection)
        naive = {
            one.listing_id
            for one in made
            if one.active and distance_km(centre, one.point) <= area.radius_km
        }
        assert {card.listing_id for card in by_projection} <= naive
        if filters == Filters():
            assert {card.listing_id for card in by_projection} == naive
    assert found


class Nothing:
    """Nothing is cached."""

    async def of(self, area: Area) -> str:
        return ""

    async def advance(self, points: Iterable[Point]) -> None:
        """Outdate nothing."""


async def told(projection: Projection, made: Sequence[Listing]) -> None:
    records = [Heard(topic=LISTINGS, partition=0, offset=n, news=one) for n, one in enumerate(made)]
    assert await projection.apply(records, 0)


async def test_late_versions_overwrite_nothing_and_the_withdrawn_are_gone(
    shards: Shards, elastic: Elastic, alias: str
) -> None:
    chance = random.Random()
    centre = Point(round(chance.uniform(-50, 50), 3), round(chance.uniform(-150, 150), 3))
    index = ListingIndex(elastic, alias)
    await index.ensure(30)
    usual = replace(USUAL, listing_id=some_id(chance), point=centre)
    other, never = (replace(usual, listing_id=some_id(chance)) for _ in range(2))
    await index.write([replace(usual, version=3, title="third"), replace(other, version=1)])
    await index.write(
        [
            replace(usual, version=2, title="second"),
            replace(other, version=2, active=False),
            replace(never, active=False),
        ]
    )
    await elastic.refresh(alias)
    criteria = Criteria(area=Area(centre=centre, radius_km=1), filters=Filters())
    (card,) = (await index.candidates(criteria, None, 10)).cards
    assert (card.listing_id, card.title) == (usual.listing_id, "third")


async def test_an_index_that_was_removed_is_made_anew_with_every_listing(
    shards: Shards, elastic: Elastic, elasticsearch_url: str
) -> None:
    chance = random.Random()
    made = [some_listing(chance, Point(10, 10)) for _ in range(30)]
    alias = f"test-{chance.getrandbits(64):x}"
    listings, index = Listings(shards), ListingIndex(elastic, alias)
    everything = Criteria(area=Area(centre=Point(10, 10), radius_km=500), filters=Filters())
    with pytest.raises(IndexUnavailable):
        await index.candidates(everything, None, 10)
    indexing = IndexListings(listings, index, Nothing(), refresh_seconds=30)
    await told(Projection(shards), made)
    async with httpx.AsyncClient(base_url=elasticsearch_url) as client:
        for _ in range(2):
            assert await indexing.catch_up() == 30
            assert await indexing.catch_up() == 0
            await elastic.refresh(alias)
            found = await walk(index, everything, 50)
            assert {c.listing_id for c in found} == {o.listing_id for o in made if o.active}
            (await client.delete(f"/{alias}-v1")).raise_for_status()
