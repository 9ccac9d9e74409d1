"""Listings in bulk, by COPY."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from booking_svc.convert.events import OutboundEvent, calendar_changed, listing_changed
from booking_svc.domain.imported import ImportedHome
from booking_svc.store.listings import COLUMNS, row_of
from mesh.aio import Group
from mesh.data.postgres import Shards, Transaction
from mesh.data.sql import load

_q: Final = load(Path(__file__).with_name("imports.sql"))
_SHARDS_AT_ONCE: Final = 4
_NIGHT_COLUMNS: Final = ("listing_id", "night", "status", "price_minor")
_OUTBOX_COLUMNS: Final = ("topic", "partition_key", "kind", "payload")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What became of a batch: the listing of each source id, and what was new."""

    listing_ids: dict[str, str]
    created: int
    nights: int


class Imports:
    """Where imported listings go in."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def known(self, source: str, ids: Mapping[str, str]) -> dict[str, str]:
        """Return those of a batch that are there already; `ids` are the listing ids they get."""
        by_shard: dict[int, list[str]] = {}
        for source_id, listing_id in ids.items():
            by_shard.setdefault(self._shards.of(listing_id), []).append(source_id)
        async with Group(limit=_SHARDS_AT_ONCE) as group:
            tasks = [
                await group.go(self._shards.fetch(shard, _q.known_sources, source, some))
                for shard, some in by_shard.items()
            ]
        return {row["source_id"]: row["listing_id"] for task in tasks for row in task.result()}

    async def load(self, source: str, homes: Sequence[ImportedHome], now: datetime) -> Loaded:
        """Put the homes in that are not there yet, with nights and events; each shard by itself.

        A batch that fails half-way is right when it is sent again.
        """
        by_shard: dict[int, list[ImportedHome]] = {}
        for home in homes:
            by_shard.setdefault(self._shards.of(home.listing.listing_id), []).append(home)
        async with Group(limit=_SHARDS_AT_ONCE) as group:
            tasks = [
                await group.go(self._load_shard(shard, source, some, now))
                for shard, some in by_shard.items()
            ]
        parts = [task.result() for task in tasks]
        return Loaded(
            listing_ids={key: value for part in parts for key, value in part.listing_ids.items()},
            created=sum(part.created for part in parts),
            nights=sum(part.nights for part in parts),
        )

    async def _load_shard(
        self, shard: int, source: str, homes: Sequence[ImportedHome], now: datetime
    ) -> Loaded:
        by_id = {home.source_id: home for home in homes}
        listing_ids = [home.listing.listing_id for home in by_id.values()]

        async def body(tx: Transaction) -> Loaded:
            new = await tx.fetch(_q.claim_sources, source, list(by_id), listing_ids)
            fresh = [by_id[row["source_id"]] for row in new]
            await _copy(tx, fresh, now)
            known = await tx.fetch(_q.known_sources, source, list(by_id))
            return Loaded(
                listing_ids={row["source_id"]: row["listing_id"] for row in known},
                created=len(fresh),
                nights=sum(len(home.nights) for home in fresh),
            )

        return await self._shards.transact(shard, body)


async def _copy(tx: Transaction, homes: Sequence[ImportedHome], now: datetime) -> None:
    if not homes:
        return
    await tx.copy("listings", COLUMNS, [row_of(home.listing) for home in homes])
    calendars = [(home.listing.listing_id, 1) for home in homes]
    await tx.copy("calendars", ("listing_id", "version"), calendars)
    nights = (
        (
            home.listing.listing_id,
            night.date,
            night.status and night.status.value,
            night.price_minor,
        )
        for home in homes
        for night in home.nights
    )
    await tx.copy("nights", _NIGHT_COLUMNS, nights)
    events = (_row_of(event) for home in homes for event in _events(home, now))
    await tx.copy("outbox", _OUTBOX_COLUMNS, events)


def _events(home: ImportedHome, now: datetime) -> tuple[OutboundEvent, OutboundEvent]:
    listing = home.listing
    return (
        listing_changed(listing, "listing.imported", now),
        calendar_changed(listing.listing_id, 1, home.nights, now),
    )


def _row_of(event: OutboundEvent) -> tuple[str, str, str, bytes]:
    return event.topic, event.key, event.kind, event.payload
