"""The indexer loses nothing and doubles nothing, whatever ends it; Elasticsearch may be away."""

from mesh.data.postgres import Shards
from search_svc.domain.calendar import Calendar
from search_svc.domain.days import day_of
from search_svc.store import calendars
from tests.integration.search_svc.conftest import Guest, Search, eventually, stay
from tests.integration.search_svc.events import TODAY, Village, calendar, changed


async def test_killed_midway_and_started_again_it_has_heard_everything_once(
    village: Village, guest: Guest, search: Search, shards: Shards
) -> None:
    ids = await village.build(60)
    first = day_of(TODAY)
    for version in range(1, 6):
        await village.tell(
            *(calendar(one, version, [(version, False, 100 * version)]) for one in ids)
        )
        if version in (2, 4):
            search.indexer.kill()
            await village.tell(*(changed(one, version, village.point) for one in ids))
            search.indexer.start(wait=False)
    search.indexer.wait_until_healthy()

    async def through() -> bool:
        async with shards.snapshot(0) as transaction:
            held = await calendars.some(transaction, ids)
        return len(held) == 60 and all(one.version == 5 for one in held.values())

    await eventually(through, within_seconds=30)
    async with shards.snapshot(0) as transaction:
        held = await calendars.some(transaction, ids)
    for one in ids:
        kept = held[one].since(first)
        expected = Calendar(
            version=5,
            first_day=kept.first_day,
            taken=sum(1 << (first + v - kept.first_day) for v in range(1, 6)),
            prices={first + v: 100 * v for v in range(1, 6)},
        )
        assert kept == expected

    async def found() -> bool:
        return sorted(await guest.found(page_size=50)) == sorted(ids)

    await eventually(found)


async def test_while_elasticsearch_is_away_the_projection_goes_on_and_the_index_catches_up(
    village: Village, guest: Guest, search: Search
) -> None:
    with search.elasticsearch.closed():
        ids = await village.build(5)

        async def by_postgresql() -> bool:
            pages = await guest.walk(page_size=50, **stay(5, 2))
            found = [r.listing_id for page in pages for r in page.results]
            return pages[0].degraded and sorted(found) == sorted(ids)

        await eventually(by_postgresql)

    async def by_elasticsearch() -> bool:
        pages = await guest.walk(page_size=50, **stay(5, 2))
        found = [r.listing_id for page in pages for r in page.results]
        return not pages[0].degraded and sorted(found) == sorted(ids)

    await eventually(by_elasticsearch)


async def test_a_signal_ends_every_role_in_order(search: Search) -> None:
    for role in (search.indexer, *search.shards, search.coordinator):
        assert role.stop() == 0, role.name
    for role in (search.indexer, *search.shards, search.coordinator):
        role.start(wait=False)
    for role in (search.indexer, *search.shards, search.coordinator):
        role.wait_until_healthy()
