"""Bulk loading: fast, and the second time changes nothing. Every statement is sound SQL."""

import random
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
from google.type.latlng_pb2 import LatLng
from google.type.money_pb2 import Money
from staymesh.booking.v1 import listings_pb2 as pb

from booking_svc.app import MIGRATIONS
from booking_svc.domain.imported import ImportRefused
from booking_svc.domain.stay import Stay
from mesh.data.sql import Query, all_queries
from mesh.ids import new_id
from tests.integration.booking_svc.conftest import ARRIVAL, World

NIGHTS = 365


def home(number: int, host_id: str, draw: random.Random) -> pb.ImportedListing:
    return pb.ImportedListing(
        source_id=str(number),
        listing=pb.Listing(
            host_id=host_id,
            title=f"Home {number}",
            description="<b>Bright</b> & near",
            property_type=pb.PROPERTY_TYPE_HOUSE,
            address=pb.Address(city="Singapore", country_code="SG"),
            location=LatLng(latitude=1.3, longitude=103.8),
            max_guests=4,
            amenities=["wifi", "kitchen"],
            base_price=Money(currency_code="SGD", units=120),
            rating=4.5,
            review_count=20,
        ),
        calendar_start="2026-06-01",
        unavailable=draw.randbytes(NIGHTS // 8),
        prices_minor=[draw.choice([0, 150_00]) for _ in range(NIGHTS)],
    )


async def batches(
    source: str, homes: list[pb.ImportedListing], size: int
) -> AsyncIterator[pb.ImportListingsRequest]:
    for at in range(0, len(homes), size):
        yield pb.ImportListingsRequest(source=source, listings=homes[at : at + size])


async def test_a_year_of_many_homes_loads_fast_and_only_once(world: World) -> None:
    draw = random.Random(7)
    homes = [home(n, world.host, draw) for n in range(300)]
    load = world.service.flows.import_listings
    started = time.process_time()
    first = await load(batches("test:speed", homes, 120))
    seconds = time.process_time() - started
    assert (first.created, first.unchanged) == (300, 0)
    assert first.nights > 300 * NIGHTS // 2
    assert [source_id for source_id, _ in first.ids] == [one.source_id for one in homes]
    # A tenth of 3,000 homes, which may take 60 seconds in all. CPU time, as machines are busy.
    assert seconds < 3
    again = await load(batches("test:speed", homes, 50))
    assert (again.created, again.unchanged, again.nights) == (0, 300, 0)
    assert again.ids == first.ids


async def test_an_imported_home_can_be_seen_and_quoted(world: World) -> None:
    one = home(1, world.host, random.Random(1))
    one.unavailable, one.prices_minor[:] = b"\x01", [0] * 30 + [200_00] * NIGHTS
    summary = await world.service.flows.import_listings(batches("test:seen", [one], 1))
    ((_, listing_id),) = summary.ids
    flows = world.service.flows
    shown = await flows.get_listing(listing_id)
    assert shown.listing.details.time_zone == "Asia/Singapore"
    assert (shown.listing.rating, shown.listing.host_id) == (4.5, world.host)
    stay = Stay(check_in=ARRIVAL, check_out=ARRIVAL.replace(day=8), guests=2)
    assert (await flows.create_quote(listing_id, stay)).price.accommodation_minor == 400_00
    listing, calendar = await world.events(listing_id)
    assert (listing.kind, calendar.kind) == ("listing.imported", "calendar.changed")
    assert calendar.calendar_changed.version == 1
    assert not calendar.calendar_changed.nights[0].available
    with world.signed_in(world.guest, "k"):
        request = world.request(listing_id, nights=2)
        assert request.listing_id == listing_id


async def test_a_bad_home_names_itself_and_the_batches_before_it_stay(world: World) -> None:
    draw = random.Random(3)
    good, bad = home(1, world.host, draw), home(2, world.host, draw)
    bad.listing.base_price.currency_code = "???"
    load = world.service.flows.import_listings
    with pytest.raises(ImportRefused) as refused:
        await load(batches("test:bad", [good, bad], 1))
    assert refused.value.metadata == {"source_id": "2"}
    assert (await load(batches("test:bad", [good], 1))).unchanged == 1


async def test_a_home_twice_in_a_batch_is_one_home(world: World) -> None:
    one = home(1, new_id("usr", now_ms=0), random.Random(4))
    summary = await world.service.flows.import_listings(batches("test:twice", [one, one], 2))
    assert (summary.created, summary.unchanged) == (1, 1)
    assert len({listing_id for _, listing_id in summary.ids}) == 1


@pytest.mark.parametrize("query", all_queries(MIGRATIONS.parent), ids=lambda query: query.name)
async def test_every_statement_prepares(booking_database: str, query: Query) -> None:
    connection = await asyncpg.connect(booking_database)
    try:
        for shard in (0, 15):
            await connection.prepare(query.text_by_shard[shard])
    finally:
        await connection.close()
