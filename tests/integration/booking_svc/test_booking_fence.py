"""Fencing tokens from Valkey, checked by PostgreSQL: an old holder never writes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from booking_svc.app import wire
from booking_svc.clients import ListingFence
from booking_svc.domain.booking import Booking, State
from booking_svc.store.bookings import HoldOutcome
from mesh.data.fence import Fences
from mesh.data.redis import Redis
from mesh.errors import MeshError
from mesh.ids import bucket_of, new_id
from tests.integration.booking_svc.conftest import NOW, World
from tests.unit.booking_svc.homes import booking


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.open(valkey_url)
    yield client
    await client.aclose()


@pytest.fixture
def fenced(world: World, redis: Redis) -> World:
    """The service with its lock service."""
    fence = ListingFence(Fences(redis), world.bookings.fence_floor)
    world.service = wire(world.shards, payments=world.payments, fence=fence, clock=world.clock)
    return world


async def hold(
    world: World, listing_id: str, version: int, token: int | None
) -> tuple[str, HoldOutcome]:
    """Hold some nights that nobody has, under a token."""
    stay = timedelta(days=7 * version)
    one = booking(
        booking_id=new_id("bkg", now_ms=0, bucket=bucket_of(listing_id)),
        listing_id=listing_id,
        check_in=booking().check_in + stay,
        check_out=booking().check_out + stay,
    )
    outcome = await world.bookings.hold(
        one, calendar_version=version, token=token, lease_until=NOW, events=[]
    )
    return one.booking_id, outcome


async def test_an_older_token_than_the_last_one_is_refused(world: World) -> None:
    listing_id = await world.listing()
    assert (await hold(world, listing_id, 0, 7))[1] is HoldOutcome.HELD
    for old in (7, 6, 0):
        booking_id, outcome = await hold(world, listing_id, 1, old)
        assert outcome is HoldOutcome.STALE
        assert await world.bookings.get(booking_id) is None
    assert (await hold(world, listing_id, 1, 8))[1] is HoldOutcome.HELD
    assert await world.bookings.fence_floor(listing_id) == 8


async def test_without_a_lock_service_the_floor_rises_over_everybody_before(world: World) -> None:
    listing_id = await world.listing()
    assert (await hold(world, listing_id, 0, 7))[1] is HoldOutcome.HELD
    assert (await hold(world, listing_id, 1, None))[1] is HoldOutcome.HELD
    assert (await hold(world, listing_id, 2, 8))[1] is HoldOutcome.STALE
    assert (await hold(world, listing_id, 2, 9))[1] is HoldOutcome.HELD


async def test_a_calendar_that_has_moved_is_an_answer_and_writes_nothing(world: World) -> None:
    listing_id = await world.listing()
    assert (await hold(world, listing_id, 0, 1))[1] is HoldOutcome.HELD
    booking_id, outcome = await hold(world, listing_id, 5, 2)
    assert outcome is HoldOutcome.MOVED
    assert await world.bookings.get(booking_id) is None
    assert len(await world.nights(listing_id)) == 3


async def test_rivals_with_the_lock_have_one_winner(fenced: World) -> None:
    listing_id = await fenced.listing()

    async def try_it(n: int) -> Booking | str:
        try:
            return await fenced.book(listing_id, guest=new_id("usr", now_ms=n), first=n % 3)
        except MeshError as error:
            return error.reason

    outcomes = await asyncio.gather(*(try_it(n) for n in range(60)))
    assert len([one for one in outcomes if isinstance(one, Booking)]) == 1
    assert {one for one in outcomes if isinstance(one, str)} == {"DATES_UNAVAILABLE"}
    await fenced.no_orphans(listing_id)


async def test_a_counter_that_is_lost_or_went_back_is_found_again(
    fenced: World, redis: Redis
) -> None:
    listing_id = await fenced.listing()
    counter = f"{{{listing_id}}}:fence"
    await fenced.book(listing_id)
    first = await fenced.bookings.fence_floor(listing_id)
    await redis.delete(counter)
    assert (await fenced.book(listing_id, first=3)).state is State.CONFIRMED
    second = await fenced.bookings.fence_floor(listing_id)
    assert second > first
    await redis.set(counter, 1)
    assert (await fenced.book(listing_id, first=6)).state is State.CONFIRMED
    assert await fenced.bookings.fence_floor(listing_id) > second


async def test_a_lock_service_that_is_down_stops_no_booking(world: World) -> None:
    nowhere = Redis.open("redis://127.0.0.1:1/0")
    fence = ListingFence(Fences(nowhere), world.bookings.fence_floor)
    world.service = wire(world.shards, payments=world.payments, fence=fence, clock=world.clock)
    homes = [await world.listing() for _ in range(4)]
    booked = await asyncio.gather(*(world.book(listing_id) for listing_id in homes))
    assert {one.state for one in booked} == {State.CONFIRMED}
    await nowhere.aclose()
