"""The search itself, over fakes: pages are full, walked to the end without a double or a hole."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.aio import within
from mesh.clock import FixedClock
from mesh.errors import Unavailable
from mesh.ids import shard_of
from search_svc.domain.candidates import Batch
from search_svc.domain.cursor import PageTokenMismatch
from search_svc.domain.listing import Card, Position
from search_svc.domain.page import Page
from search_svc.domain.place import Area, Place, Point
from search_svc.domain.search import Criteria, Filters, PriceBounds, Request
from search_svc.domain.stay import Stay, StayPrice
from search_svc.flows.ask_shards import AskShards, AvailabilityUnavailable
from search_svc.flows.find_candidates import FindCandidates
from search_svc.flows.needs import FoundBatch
from search_svc.flows.search_listings import SearchListings
from tests.unit.search_svc.makers import card

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
WITH_DATES = Request(lat=38.7, lng=-9.1, check_in="2026-08-01", check_out="2026-08-04")
WITHOUT_DATES = Request(lat=38.7, lng=-9.1)


class NoPlaces:
    def find(self, text: str) -> Place:
        raise AssertionError(f"{text} was not to be looked up")


class NoCache:
    async def get(
        self, key: str, load: Callable[[], Awaitable[FoundBatch | None]]
    ) -> FoundBatch | None:
        return await load()


class NeverOutdated:
    async def of(self, area: Area) -> str:
        return ""

    async def advance(self, points: Iterable[Point]) -> None:
        raise AssertionError("searching changes nothing")


@dataclass
class Source:
    """Candidates from a list, or an outage."""

    cards: Sequence[Card]
    down: Exception | None = None
    hangs: bool = False
    asked: int = 0

    async def candidates(self, criteria: Criteria, after: Position | None, size: int) -> Batch:
        self.asked += 1
        if self.down is not None:
            raise self.down
        if self.hangs:
            await asyncio.Event().wait()
        ordered = sorted(self.cards, key=lambda c: (-c.rank, c.listing_id))
        rest = [c for c in ordered if after is None or after.before(c.position)]
        return Batch(cards=tuple(rest[:size]), last=len(rest) < size)


@dataclass
class Shards:
    """Free listings by id with their totals; some shards are down or hang."""

    free: Mapping[str, int]
    count: int = 2
    down: set[int] = field(default_factory=set)
    hang: set[int] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)

    def holder(self, listing_id: str) -> int:
        return shard_of(listing_id) % self.count

    async def check(self, index: int, stay: Stay, ids: Sequence[str]) -> dict[str, StayPrice]:
        self.asked.append(index)
        if index in self.down:
            raise Unavailable("down")
        if index in self.hang:
            await asyncio.Event().wait()
        assert all(self.holder(one) == index for one in ids)
        return {
            one: StayPrice(
                currency="EUR", accommodation_minor=self.free[one], total_minor=self.free[one]
            )
            for one in ids
            if one in self.free
        }


def search(
    index: Source, shards: Shards, projection: Source | None = None, *, batch: int = 4
) -> SearchListings:
    return SearchListings(
        clock=FixedClock(NOW),
        places=NoPlaces(),
        candidates=FindCandidates(
            cache=NoCache(),
            generations=NeverOutdated(),
            index=index,
            projection=projection or Source(index.cards),
            batch=batch,
            index_seconds=0.05,
        ),
        shards=AskShards(shards=shards, soft_seconds=0.05),
    )


async def walk(flow: SearchListings, request: Request) -> list[Page]:
    pages = [await flow(request)]
    while pages[-1].next_token:
        pages.append(await flow(replace(request, page_token=pages[-1].next_token)))
    return pages


def ids(pages: Sequence[Page]) -> list[str]:
    return [result.card.listing_id for page in pages for result in page.results]


CARDS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 15)), max_size=30).map(
    lambda pairs: [
        card(n, partition=partition, rank=rank) for n, (rank, partition) in enumerate(pairs)
    ]
)


@settings(max_examples=60, deadline=None)
@given(
    cards=CARDS,
    taken=st.sets(st.integers(0, 29)),
    size=st.integers(1, 7),
    batch=st.integers(1, 6),
    highest=st.sampled_from([0, 5, 20]),
)
def test_pages_are_full_and_together_all_there_is_once_in_order(
    cards: list[Card], taken: set[int], size: int, batch: int, highest: int
) -> None:
    free = {c.listing_id: 100 * n for n, c in enumerate(cards) if n not in taken}
    flow = search(Source(cards), Shards(free), batch=batch)
    request = replace(WITH_DATES, page_size=size, prices=PriceBounds(highest=highest))
    pages = asyncio.run(walk(flow, request))
    expected = [
        c.listing_id
        for c in sorted(cards, key=lambda c: (-c.rank, c.listing_id))
        if c.listing_id in free and (not highest or free[c.listing_id] <= highest * 100)
    ]
    assert ids(pages) == expected
    assert all(len(page.results) == size for page in pages[:-1])
    assert not any(page.missing for page in pages)


async def test_without_dates_no_shard_is_asked_and_the_base_price_counts() -> None:
    cards = [card(n, base_price_minor=1000 * n) for n in range(6)]
    shards = Shards({})
    page = await search(Source(cards), shards)(
        replace(WITHOUT_DATES, prices=PriceBounds(lowest=20, highest=40))
    )
    assert ids([page]) == [c.listing_id for c in cards[2:5]]
    assert {result.total_minor for result in page.results} == {None}
    assert shards.asked == []


async def test_a_night_costs_the_mean_and_the_total_is_the_shards() -> None:
    one = card(1)
    page = await search(Source([one]), Shards({one.listing_id: 10_001}))(WITH_DATES)
    (result,) = page.results
    assert (result.night_minor, result.total_minor) == (3334, 10_001)


@pytest.mark.parametrize(
    "index",
    [Source([], down=Unavailable("down")), Source([], hangs=True)],
    ids=["refuses", "hangs"],
)
async def test_without_elasticsearch_postgresql_answers_and_says_so(index: Source) -> None:
    cards = [card(n) for n in range(10)]
    free = {c.listing_id: 100 for c in cards}
    pages = await walk(search(index, Shards(free), Source(cards)), replace(WITH_DATES, page_size=3))
    assert ids(pages) == [c.listing_id for c in cards]
    assert all(page.missing == ("elasticsearch",) for page in pages)


async def test_a_walk_goes_on_where_elasticsearch_left_off() -> None:
    cards = [card(n) for n in range(10)]
    index = Source(cards)
    flow = search(index, Shards({c.listing_id: 100 for c in cards}))
    first = await flow(replace(WITH_DATES, page_size=3))
    index.down = Unavailable("down")
    request = replace(WITH_DATES, page_size=3, page_token=first.next_token)
    assert ids([first, *await walk(flow, request)]) == [c.listing_id for c in cards]


@pytest.mark.parametrize("state", ["down", "hang"])
async def test_a_shard_that_does_not_answer_is_named_and_the_others_results_come(
    state: str,
) -> None:
    cards = [card(n, partition=n % 16) for n in range(12)]
    shards = Shards({c.listing_id: 100 for c in cards})
    getattr(shards, state).add(1)
    page = await search(Source(cards), shards)(WITH_DATES)
    assert ids([page]) == [c.listing_id for c in cards if shards.holder(c.listing_id) == 0]
    assert page.missing == ("shard-1",)
    assert shards.asked.count(1) == 1, "a shard that failed is not waited for again"


async def test_when_no_shard_answers_nobody_pretends_that_all_is_taken() -> None:
    cards = [card(n, partition=n % 16) for n in range(4)]
    with pytest.raises(AvailabilityUnavailable):
        await search(Source(cards), Shards({}, down={0, 1}))(WITH_DATES)


async def test_a_token_of_another_search_is_refused() -> None:
    flow = search(Source([card(n) for n in range(9)]), Shards({}))
    token = (await flow(replace(WITHOUT_DATES, page_size=2))).next_token
    with pytest.raises(PageTokenMismatch):
        await flow(replace(WITHOUT_DATES, filters=Filters(guests=2), page_token=token))


async def test_when_time_runs_short_the_page_is_short_and_its_token_goes_on() -> None:
    cards = [card(n) for n in range(12)]
    flow = search(Source(cards), Shards({cards[-1].listing_id: 100}))
    async with within(0.3):
        page = await flow(WITH_DATES)
    assert page.results == ()
    rest = await walk(flow, replace(WITH_DATES, page_token=page.next_token))
    assert ids(rest) == [cards[-1].listing_id]
