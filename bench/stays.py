"""Which stays a booking round holds: the same for pgbench, for the store and for the whole flow.

A listing belongs to one client of the round, so that every hold is the next on its calendar and
succeeds: what is measured is work, not rivalry. Everything is drawn from the round's number.
"""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from staymesh.booking.v1 import listings_pb2

from booking_svc.convert.events import OutboundEvent, booking_changed, calendar_changed
from booking_svc.domain.booking import Booking
from booking_svc.domain.calendar import NightStatus, taken_by
from booking_svc.domain.imported import imported_id
from booking_svc.domain.price import price_of
from booking_svc.domain.stay import Stay
from booking_svc.flows.import_listings import ImportListings
from booking_svc.store.bookings import Bookings
from booking_svc.store.calendars import Calendars, Offer
from booking_svc.store.imports import Imports
from mesh.aio import Group
from mesh.clock import SystemClock, epoch_ms
from mesh.data.postgres import Shards
from mesh.ids import SHARDS, bucket_of, derive_id
from stack.world import World

CLIENTS: Final = 16
SOURCE: Final = "bench"
SEED: Final = 1
MOST_NIGHTS: Final = 7
GAP_NIGHTS: Final = 2
WORLD_NIGHTS: Final = 366
"""Nights that the generated world has filled; from there on every night is free."""
_BATCH: Final = 100
_LIFE: Final = timedelta(hours=2)
"""So long that no sweeper takes a hold of ours while anything runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What the store is asked: a pending booking, decided on this version of its calendar."""

    booking: Booking
    calendar_version: int
    token: int
    lease_until: datetime
    events: tuple[OutboundEvent, ...]


@dataclass(slots=True, kw_only=True)
class Home:
    """A listing while a round is planned: its calendar's version and token, its next free night."""

    offer: Offer
    version: int
    token: int
    free_from: date


async def load(shards: Shards, listings: int) -> None:
    """Load a generated world through the booking service's own import, without a server."""
    world = World(seed=SEED, listings=listings, today=SystemClock().now().date())
    flow = ImportListings(imports=Imports(shards), clock=SystemClock())

    async def batches() -> AsyncIterator[listings_pb2.ImportListingsRequest]:
        batch: list[listings_pb2.ImportedListing] = []
        for host, record in world.records():
            record.listing.host_id = derive_id("usr", now_ms=0, bucket=0, seed=host.source_id)
            batch.append(record)
            if len(batch) == _BATCH:
                yield listings_pb2.ImportListingsRequest(source=SOURCE, listings=batch)
                batch = []
        yield listings_pb2.ImportListingsRequest(source=SOURCE, listings=batch)

    await flow(batches())


async def plan(
    shards: Shards, listings: int, *, round_number: int, each: int, first: date | None = None
) -> list[list[Hold]]:
    """Return what each client holds in a round, in its order; the shards are taken in turn.

    Rounds of other numbers hold other nights; `first` names the round's first night itself.
    Raise RuntimeError when there are too few listings for every client to have some in each shard.
    """
    now = SystemClock().now()
    if first is None:
        span = (MOST_NIGHTS + GAP_NIGHTS) * (each // SHARDS + 1)
        first = now.date() + timedelta(days=2 * WORLD_NIGHTS + span * round_number)
    homes = await _homes(shards, listings, first)
    rng = random.Random(f"round:{round_number}")
    return [
        [
            _hold(rng, rng.choice(homes[(client + number) % SHARDS, client]), now)
            for number in range(each)
        ]
        for client in range(CLIENTS)
    ]


async def _homes(
    shards: Shards, listings: int, first: date
) -> Mapping[tuple[int, int], Sequence[Home]]:
    """Return the listings of each shard and client."""
    calendars, bookings = Calendars(shards), Bookings(shards)

    async def read(listing_id: str) -> Home:
        offer = await calendars.offer(listing_id, first, first)
        assert offer is not None, f"{listing_id} was loaded"
        token = await bookings.fence_floor(listing_id)
        version = offer.calendar.version
        return Home(offer=offer, version=version, token=token, free_from=first)

    ids = [imported_id(SOURCE, f"listing-{number}") for number in range(listings)]
    async with Group(limit=CLIENTS) as group:
        tasks = [await group.go(read(listing_id)) for listing_id in ids]
    found: dict[tuple[int, int], list[Home]] = {}
    dealt = dict.fromkeys(range(SHARDS), 0)
    for task in tasks:
        home = task.result()
        shard = shards.of(home.offer.listing.listing_id)
        found.setdefault((shard, dealt[shard] % CLIENTS), []).append(home)
        dealt[shard] += 1
    if len(found) < SHARDS * CLIENTS:
        raise RuntimeError(f"{listings} listings are too few for {CLIENTS} clients: take 640")
    return found


def _hold(rng: random.Random, home: Home, now: datetime) -> Hold:
    """Take the next free nights of a home, and count on."""
    listing = home.offer.listing
    rules = listing.stay_rules
    check_in = home.free_from + timedelta(days=rng.randint(0, GAP_NIGHTS))
    nights = rng.randint(rules.min_nights, MOST_NIGHTS)
    stay = Stay(
        check_in=check_in,
        check_out=check_in + timedelta(days=nights),
        guests=rng.randint(1, rules.max_guests),
    )
    booking = _booking(rng, home.offer, stay, now)
    held = taken_by(home.offer.calendar, stay, booking.booking_id, NightStatus.HELD)
    hold = Hold(
        booking=booking,
        calendar_version=home.version,
        token=home.token + 1,
        lease_until=now + _LIFE,
        events=(
            calendar_changed(listing.listing_id, home.version + 1, held, now),
            booking_changed(booking, "booking.held"),
        ),
    )
    home.version += 1
    home.token += 1
    home.free_from = stay.check_out
    return hold


def _booking(rng: random.Random, offer: Offer, stay: Stay, now: datetime) -> Booking:
    """Return the booking that the flow would have decided on."""
    listing = offer.listing
    bucket, seed = bucket_of(listing.listing_id), str(rng.getrandbits(128))
    return Booking(
        booking_id=derive_id("bkg", now_ms=epoch_ms(now), bucket=bucket, seed=seed),
        listing_id=listing.listing_id,
        host_id=listing.host_id,
        guest_id=guest_id(rng.randrange(200)),
        check_in=stay.check_in,
        check_out=stay.check_out,
        guests=stay.guests,
        price=price_of(listing.details, offer.calendar, stay),
        cancellation_policy=listing.details.cancellation_policy,
        time_zone=listing.details.time_zone,
        listing_title=listing.details.title,
        hold_expires_at=now + _LIFE,
        created_at=now,
        updated_at=now,
    )


def guest_id(number: int) -> str:
    """Return one of the people who book."""
    return derive_id("usr", now_ms=0, bucket=number, seed=f"guest:{number}")
