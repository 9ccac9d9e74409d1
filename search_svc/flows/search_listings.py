"""Search: listings near a place that are free for all of the nights, at their total price.

1. check the dates, find the place, read where the page begins
2. take the next batch of candidates
3. with dates, ask the shards which of them are free and what they cost
4. keep, in order, those whose price fits, until the page is full
5. otherwise go on with the next batch; end where there is none, or when time runs out
6. say where the next page begins, and which parts were down
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter

from mesh.aio import remaining
from mesh.clock import Clock
from search_svc.domain.cursor import cursor_of
from search_svc.domain.listing import Card
from search_svc.domain.page import Filling, Page
from search_svc.domain.search import DEFAULT_PAGE_SIZE, Criteria, Request
from search_svc.domain.stay import Stay
from search_svc.flows.ask_shards import Answer, AskShards
from search_svc.flows.find_candidates import FindCandidates
from search_svc.flows.needs import Places

_SEARCHES: Final = Counter(
    "search_count", "Searches answered, by whether all parts were up.", ["state"]
)
_MISSING: Final = Counter("search_degraded", "Searches answered without a part.", ["part"])
_SHORT_SECONDS: Final = 0.4
"""Too little for another batch. The page is short then, and its token goes on from there."""

_FIRST_HELPING: Final = 60
_PER_RESULT: Final = 3


@dataclass(frozen=True, kw_only=True)
class SearchListings:
    """Full pages in a steady order."""

    clock: Clock
    places: Places
    candidates: FindCandidates
    shards: AskShards

    async def __call__(self, request: Request) -> Page:
        """Return a page. Raise PlaceNotFound, or an Invalid that says what is wrong."""
        request.check_prices()
        stay = request.stay(self.clock.now())
        place = request.point() or self.places.find(request.location)
        fingerprint = request.fingerprint()
        page = Filling(
            place=place,
            stay=stay,
            prices=request.prices,
            size=request.page_size or DEFAULT_PAGE_SIZE,
            cursor=cursor_of(request.page_token, fingerprint),
        )
        missing = await self._fill(page, request.criteria(place))
        _count(missing)
        return Page(
            place=place,
            results=tuple(page.results),
            next_token="" if page.cursor is None else page.cursor.token(fingerprint),
            missing=missing,
        )

    async def _fill(self, page: Filling, criteria: Criteria) -> tuple[str, ...]:
        """Fill the page and return the names of the parts that were down."""
        down: dict[str, None] = {}
        silent: frozenset[int] = frozenset()
        while page.cursor is not None and not page.full:
            found = await self.candidates(criteria, page.cursor.batch_after)
            for cards in _helpings(page.unseen(found.batch), page):
                answer = await self._ask(page.stay, cards, silent)
                silent = answer.missing
                page.take(cards, answer.free)
                if page.full:
                    break
            page.leave(found.batch)
            down |= dict.fromkeys([*found.missing, *(f"shard-{i}" for i in sorted(silent))])
            if _time_is_short():
                break
        return tuple(down)

    async def _ask(
        self, stay: Stay | None, cards: Sequence[Card], silent: frozenset[int]
    ) -> Answer:
        if stay is None:
            return Answer(free={}, missing=silent)
        return await self.shards(stay, [card.listing_id for card in cards], silent)


def _helpings(cards: Sequence[Card], page: Filling) -> Iterator[Sequence[Card]]:
    """Yield candidates as many as are likely to fill the page, then the rest of them.

    What the shards are asked in vain costs more than to ask them a second time.
    """
    first = max(_FIRST_HELPING, _PER_RESULT * page.size)
    for part in (cards[:first], cards[first:]):
        if part:
            yield part


def _count(missing: Sequence[str]) -> None:
    _SEARCHES.labels("degraded" if missing else "whole").inc()
    for part in missing:
        _MISSING.labels(part).inc()


def _time_is_short() -> bool:
    left = remaining()
    return left is not None and left < _SHORT_SECONDS
