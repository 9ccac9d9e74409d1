"""The projection has each record's effect once, and a shard made from it agrees with it."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

import asyncpg
import pytest

from mesh.bus import Message, Outbound, Place, PositionLost
from mesh.clock import SystemClock
from mesh.data.migrate import migrate
from mesh.data.postgres import Shards
from mesh.data.sql import Query, all_queries
from mesh.errors import Unavailable
from mesh.ids import shard_of
from search_svc import convert
from search_svc.app import MIGRATIONS, postgres
from search_svc.domain.calendar import Calendar
from search_svc.domain.days import day_of, window_start
from search_svc.domain.heard import Heard
from search_svc.domain.listing import Listing
from search_svc.domain.shard import ShardState
from search_svc.events import Events, project_forever
from search_svc.flows.follow_changes import FollowChanges
from search_svc.store import calendars
from search_svc.store.listings import Listings
from search_svc.store.projection import CALENDARS, LISTINGS, Projection
from tests.integration.search_svc.events import TODAY, a_place, calendar, changed, some_id

FIRST = window_start(SystemClock().now())


@pytest.fixture
async def shards(fresh_database: str) -> AsyncIterator[Shards]:
    """A projection of the test's own, that has heard nothing yet."""
    settings = postgres(fresh_database, "search-tests")
    await migrate(settings, MIGRATIONS)
    async with await Shards.open(settings) as opened:
        yield opened


class Bus:
    """What the bus would give out, with its offsets."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, int], int] = {}
        self.records: list[Heard] = []

    def tell(self, record: Outbound) -> None:
        place = (record.topic, shard_of(record.key))
        offset = self._next.get(place, 0)
        self._next[place] = offset + 1
        news = convert.news(record.payload)
        self.records.append(Heard(topic=place[0], partition=place[1], offset=offset, news=news))


def story(chance: random.Random, listings: int, steps: int) -> tuple[list[str], Bus]:
    """Return listings and what happened to them, out of order and twice in places."""
    ids, bus = [some_id(chance) for _ in range(listings)], Bus()
    versions = dict.fromkeys(ids, 0)
    point = a_place(chance)
    for _ in range(steps):
        one = chance.choice(ids)
        if chance.random() < 0.3:
            version = chance.randrange(1, 6)
            bus.tell(changed(one, version, point, title=f"v{version}", min_nights=version))
        else:
            versions[one] += chance.random() < 0.9
            nights = [
                (chance.randrange(0, 700), chance.random() < 0.5, chance.choice([0, 0, 777]))
                for _ in range(chance.randrange(1, 6))
            ]
            bus.tell(calendar(one, versions[one], nights))
    return ids, bus


async def state_of(shards: Shards, ids: Sequence[str]) -> dict[str, Calendar]:
    async with shards.snapshot(0) as transaction:
        return await calendars.some(transaction, ids)


async def test_batches_that_come_again_have_their_effect_once(
    shards: Shards,
) -> None:
    chance = random.Random()
    ids, bus = story(chance, listings=6, steps=120)
    projection = Projection(shards)
    expected = dict.fromkeys(ids, Calendar())
    newest: dict[str, Listing] = {}
    for heard in bus.records:
        if isinstance(heard.news, Listing):
            had = newest.get(heard.news.listing_id)
            if had is None or heard.news.version > had.version:
                newest[heard.news.listing_id] = heard.news
        elif heard.news is not None:
            key = heard.news.listing_id
            expected[key] = expected[key].changed(heard.news, FIRST)
    at = 0
    while at < len(bus.records):
        size = chance.randrange(1, 30)
        start = max(0, at - chance.randrange(0, 10))  # the end of the last one comes again
        await projection.apply(bus.records[start : at + size], FIRST)
        at += size
    await projection.apply(bus.records, FIRST)
    held = await state_of(shards, ids)
    for one in ids:
        assert held.get(one, Calendar()) == expected[one]
    rows = {row.listing_id: row for row in await Listings(shards).waiting(1000)}
    for key, listing in newest.items():
        assert rows[key] == listing
    offsets = await projection.offsets()
    assert offsets == {h.place: h.offset + 1 for h in bus.records}


async def test_a_shard_loaded_midway_and_followed_equals_the_projection(
    shards: Shards,
) -> None:
    chance = random.Random()
    ids, bus = story(chance, listings=20, steps=300)
    projection, clock = Projection(shards), SystemClock()
    await projection.apply(bus.records[:150], FIRST)
    state = ShardState(FIRST, capacity=1)
    partitions = range(0, 16, 2)
    offsets = await projection.load(state, partitions)
    await projection.apply(bus.records[150:], FIRST)
    follow = FollowChanges(state=state, clock=clock)
    await follow(
        [
            heard
            for heard in bus.records
            if heard.partition in partitions and heard.offset >= offsets.get(heard.place, 0)
        ]
    )
    held = await state_of(shards, ids)
    compared = 0
    for one in ids:
        if shard_of(one) in partitions and one in held:
            assert state.calendar(one) == held[one].since(FIRST)
            compared += 1
        elif shard_of(one) not in partitions:
            assert state.calendar(one) == Calendar()
    assert compared
    for row in await Listings(shards).waiting(1000):
        mine = shard_of(row.listing_id) in partitions
        assert state.version(row.listing_id) == (row.version if mine else 0)


async def test_nights_gone_by_fall_off_with_the_next_change(shards: Shards) -> None:
    chance = random.Random()
    one, bus = some_id(chance), Bus()
    for version in (1, 2):
        nights = [(5 * version, False, 100)]
        bus.tell(calendar(one, version, nights))
    projection = Projection(shards)
    await projection.apply(bus.records[:1], FIRST)
    later = day_of(TODAY + timedelta(days=7))
    await projection.apply(bus.records[1:], later)
    kept = (await state_of(shards, [one]))[one]
    assert (kept.first_day, kept.taken) == (later, 1 << 3)
    assert kept.prices == {later + 3: 100}


async def test_an_unreadable_record_still_moves_the_offset(shards: Shards) -> None:
    projection = Projection(shards)

    async def flow(batch: Sequence[Heard]) -> None:
        await projection.apply(batch, FIRST)

    record = Message(
        topic=LISTINGS, partition=4, offset=8, key="", payload=b"\xff", headers={}, timestamp_ms=0
    )
    await Events(flow).apply([record])
    assert await projection.offsets() == {(LISTINGS, 4): 9}
    await projection.begin_anew()
    assert await projection.offsets() == {}


class Forgetful:
    """A bus that has lost our offsets once, and is done after that."""

    def __init__(self) -> None:
        self.asked: list[Mapping[Place, int | None]] = []

    async def run(self, positions: Mapping[Place, int | None]) -> None:
        self.asked.append(positions)
        if len(self.asked) == 1:
            raise PositionLost
        raise Unavailable("enough")


async def test_when_kafka_was_made_anew_everything_is_heard_again(shards: Shards) -> None:
    chance = random.Random()
    one, bus = some_id(chance), Bus()
    bus.tell(calendar(one, 1, [(1, False, 0)]))
    projection, follower = Projection(shards), Forgetful()
    await projection.apply(bus.records, FIRST)
    with pytest.raises(Unavailable):
        await project_forever(follower, projection)  # type: ignore[arg-type]
    before, after = follower.asked
    assert before[Place(CALENDARS, shard_of(one))] == 1
    assert before.keys() == after.keys()
    assert len(after) == 32
    assert set(after.values()) == {None}
    await projection.apply(bus.records, FIRST)
    assert (await state_of(shards, [one]))[one].version == 1
    assert await projection.offsets() == {(CALENDARS, shard_of(one)): 1}


@pytest.mark.parametrize("query", all_queries(MIGRATIONS.parent), ids=lambda query: query.name)
async def test_every_statement_is_understood(query: Query, search_database: str) -> None:
    connection = await asyncpg.connect(search_database)
    await connection.prepare(query.text_by_shard[0])
    await connection.close()
