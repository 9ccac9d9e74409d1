"""Calendars: which nights are taken, by whom, and at what price."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from booking_svc.convert.events import calendar_changed
from booking_svc.domain.calendar import Calendar, Night, NightStatus
from booking_svc.domain.listing import Listing
from booking_svc.store.listings import listing_of
from booking_svc.store.outbox import publish
from mesh.data.postgres import Record, Shards, Transaction
from mesh.data.sql import load

_q: Final = load(Path(__file__).with_name("calendars.sql"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A listing and some nights of its calendar, read at one moment."""

    listing: Listing
    calendar: Calendar


class Calendars:
    """The calendars of all shards."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def offer(
        self, listing_id: str, start: date, end: date, *, decide: bool = False
    ) -> Offer | None:
        """Return a listing with its nights from `start` to before `end`; None if there is none.

        `decide` asks the primary, for whoever has found an answer of a replica too old.
        """
        shard = self._shards.of(listing_id)
        args = (listing_id, start, end)
        if decide:
            rows = await self._shards.write(shard, _q.offer, *args, idempotent=True)
        else:
            rows = await self._shards.fetch(shard, _q.offer, *args)
        if not rows:
            return None
        return Offer(listing=listing_of(rows[0]), calendar=_calendar_of(listing_id, rows[0]))

    async def change(
        self,
        listing_id: str,
        start: date,
        end: date,
        decide: Callable[[Calendar], Sequence[Night]],
        now: datetime,
    ) -> int:
        """Write the nights that `decide` changes of a range, and tell; return how many.

        `decide` may be asked again, about a later calendar; what it raises changes nothing.
        """

        async def body(tx: Transaction) -> int:
            calendar = await read(tx, listing_id, start, end)
            changed = decide(calendar)
            if changed:
                await write(tx, listing_id, changed, now)
            return len(changed)

        return await self._shards.transact(self._shards.of(listing_id), body)


async def read(tx: Transaction, listing_id: str, start: date, end: date) -> Calendar:
    """Return the nights of a range inside a transaction."""
    row = await tx.fetchrow(_q.calendar, listing_id, start, end)
    assert row is not None, f"{listing_id} has no calendar"
    return _calendar_of(listing_id, row)


async def write(tx: Transaction, listing_id: str, nights: Sequence[Night], now: datetime) -> None:
    """Write nights as they are now, count the change and tell it, inside a transaction."""
    version = await tx.fetchval(_q.bump_calendar, listing_id)
    gone = [n.date for n in nights if n.status is None and n.price_minor is None]
    kept = [n for n in nights if n.status is not None or n.price_minor is not None]
    if gone:
        await tx.execute(_q.drop_nights, listing_id, gone)
    if kept:
        await tx.execute(
            _q.put_nights,
            listing_id,
            [n.date for n in kept],
            [n.status and n.status.value for n in kept],
            [n.booking_id or None for n in kept],
            [n.price_minor for n in kept],
            [n.notes or None for n in kept],
        )
    await publish(tx, calendar_changed(listing_id, version, nights, now))


def _calendar_of(listing_id: str, row: Record) -> Calendar:
    nights = (_night_of(values) for values in row["nights"] or ())
    return Calendar(
        listing_id=listing_id,
        version=row["calendar_version"],
        nights={night.date: night for night in nights},
    )


def _night_of(values: Sequence[Any]) -> Night:
    night, status, booking_id, price_minor, notes = values
    return Night(
        date=date.fromisoformat(night),
        status=None if status is None else NightStatus(status),
        booking_id=booking_id or "",
        price_minor=price_minor,
        notes=notes or "",
    )
