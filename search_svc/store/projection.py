"""The projection as a whole: a batch of events goes in at once, a shard's snapshot comes out."""

from collections.abc import Iterable, Sequence
from typing import Final

from mesh.data.postgres import Shards, Transaction
from search_svc.domain.calendar import Calendar, CalendarChange
from search_svc.domain.heard import Heard
from search_svc.domain.listing import Listing
from search_svc.domain.shard import ShardState
from search_svc.store import calendars, listings, offsets

_ONLY: Final = 0
LISTINGS: Final = "staymesh.listings"
CALENDARS: Final = "staymesh.calendars"
TOPICS: Final = (LISTINGS, CALENDARS)


class Projection:
    """Search's own memory of the listings and calendars that booking told of."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def offsets(self) -> dict[tuple[str, int], int]:
        """Return where the indexer goes on, by topic and partition."""
        async with self._shards.snapshot(_ONLY) as transaction:
            return await offsets.of_topics(transaction, TOPICS)

    async def apply(self, batch: Sequence[Heard], first_day: int) -> bool:
        """Take records, and the offsets after them, in one transaction.

        What another indexer has taken meanwhile is left out. Calendars keep the nights from
        `first_day` on. Return whether there were listings, not only calendars.
        """

        async def work(transaction: Transaction) -> bool:
            known = await offsets.of_topics(transaction, TOPICS)
            news = [heard for heard in batch if heard.offset >= known.get(heard.place, 0)]
            if not news:
                return False
            newest = _newest(heard.news for heard in news if isinstance(heard.news, Listing))
            if newest:
                await listings.put(transaction, newest)
            changes = [heard.news for heard in news if isinstance(heard.news, CalendarChange)]
            if changes:
                await _change_calendars(transaction, changes, first_day)
            await offsets.put(transaction, {heard.place: heard.offset + 1 for heard in news})
            return bool(newest)

        return await self._shards.transact(_ONLY, work)

    async def begin_anew(self) -> None:
        """Forget the offsets: the bus no longer has them. Versions make repeats harmless."""
        await self._shards.transact(_ONLY, offsets.forget)

    async def load(
        self, state: ShardState, partitions: Sequence[int]
    ) -> dict[tuple[str, int], int]:
        """Load the listings of these partitions; return the offsets of that same instant."""
        async with self._shards.snapshot(_ONLY) as transaction:
            places = await offsets.of_topics(transaction, TOPICS)
            async for listing_id, version, terms in listings.terms(transaction, partitions):
                state.put_listing(listing_id, version, terms)
            async for listing_id, calendar in calendars.of_partitions(transaction, partitions):
                state.load_calendar(listing_id, calendar)
        return places


def _newest(versions: Iterable[Listing]) -> list[Listing]:
    """Return the newest version of each listing: one statement may not write a row twice."""
    newest: dict[str, Listing] = {}
    for listing in versions:
        had = newest.get(listing.listing_id)
        if had is None or listing.version > had.version:
            newest[listing.listing_id] = listing
    return list(newest.values())


async def _change_calendars(
    transaction: Transaction, changes: Sequence[CalendarChange], first_day: int
) -> None:
    before = await calendars.some(transaction, {change.listing_id for change in changes})
    after = dict(before)
    for change in changes:
        calendar = after.get(change.listing_id, Calendar())
        after[change.listing_id] = calendar.changed(change, first_day)
    changed = {key: value for key, value in after.items() if value is not before.get(key)}
    if changed:
        await calendars.put(transaction, changed)
