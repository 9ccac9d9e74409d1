"""Bookings, in the shard of their listing."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from booking_svc.convert.events import OutboundEvent
from booking_svc.domain.booking import Booking, CancelledBy, PaymentStatus, State
from booking_svc.domain.calendar import freed
from booking_svc.domain.cancellation import CancellationPolicy
from booking_svc.domain.paging import StayCursor
from booking_svc.store import calendars
from booking_svc.store.outbox import arguments, publish
from booking_svc.store.prices import json_of, price_of
from mesh.data.failures import ConstraintViolation
from mesh.data.postgres import Record, Shards, Transaction
from mesh.data.sql import Query, load

_q: Final = load(Path(__file__).with_name("bookings.sql"))


class HoldOutcome(StrEnum):
    """What the hold function answers; only HELD has written anything."""

    HELD = "held"
    EXISTS = "exists"
    """This very booking was made before."""
    TAKEN = "taken"
    NOT_ACTIVE = "not_active"
    BUSY = "busy"
    """A rival is in the middle of it; ask again."""
    STALE = "stale"
    """The fencing token is older than one that has written."""
    MOVED = "moved"
    """The calendar has changed since it was read; read again and decide again."""


# What a constraint says that speaks when the function did not: the nights' overlap as the last
# line, and a booking that was made before and has lost its nights since.
_OUTCOME_OF: Final = {
    "bookings_no_overlap": HoldOutcome.TAKEN,
    "bookings_pkey": HoldOutcome.EXISTS,
}


class Bookings:
    """The bookings of all shards."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def hold(
        self,
        booking: Booking,
        *,
        calendar_version: int,
        token: int | None,
        lease_until: datetime,
        events: Sequence[OutboundEvent],
    ) -> HoldOutcome:
        """Hold the nights and put the booking in as pending, in one round trip.

        `token` None says that there is no lock service.
        """
        row = {**_json_of(booking), "lease_until": lease_until.isoformat()}
        try:
            rows = await self._shards.write(
                self._shards.of(booking.booking_id),
                _q.hold_stay,
                row,
                calendar_version,
                token,
                *arguments(events),
                idempotent=True,
            )
        except ConstraintViolation as error:
            outcome = _OUTCOME_OF.get(error.constraint)
            if outcome is None:
                raise
            return outcome
        return HoldOutcome(rows[0]["outcome"])

    async def fence_floor(self, listing_id: str) -> int:
        """Return the last fencing token that wrote to a listing's calendar, from the primary."""
        rows = await self._shards.write(
            self._shards.of(listing_id), _q.fence_floor, listing_id, idempotent=True
        )
        return rows[0]["fence_token"] if rows else 0

    async def get(self, booking_id: str) -> Booking | None:
        """Return a booking."""
        shard = self._shards.of(booking_id)
        row = await self._shards.fetchrow(shard, _q.get_booking, booking_id)
        return None if row is None else _booking_of(row)

    async def get_to_decide(self, booking_id: str) -> Booking | None:
        """Return a booking as the primary knows it."""
        return await self._one(_q.get_booking, booking_id)

    async def lease(self, booking_id: str, now: datetime, until: datetime) -> Booking | None:
        """Take a pending booking that nobody is at work on; None if there is none."""
        return await self._one(_q.lease_booking, booking_id, now, until)

    async def extend_lease(self, booking_id: str, until: datetime) -> Booking | None:
        """Keep a pending booking from the sweeper; None if it is not pending."""
        return await self._one(_q.extend_lease, booking_id, until)

    async def confirm(self, booking: Booking, event: OutboundEvent) -> bool:
        """Write a booking that was pending as the confirmed one it is; False if it was not."""
        rows = await self._shards.write(
            self._shards.of(booking.booking_id),
            _q.confirm_booking,
            booking.booking_id,
            booking.confirmation_code,
            booking.payment_status.value,
            booking.updated_at,
            *arguments([event]),
        )
        return bool(rows)

    async def end(
        self, booking: Booking, was: State, settle_due_at: datetime | None, event: OutboundEvent
    ) -> bool:
        """Write a booking as the cancelled one it is and free its nights; False if it has moved.

        `was` is the state that this was decided on; `settle_due_at` says when somebody has to see
        to its money, if this process does not.
        """

        async def body(tx: Transaction) -> bool:
            if not await tx.fetch(_q.end_booking, *_end_of(booking, was, settle_due_at)):
                return False
            stay = (booking.listing_id, booking.check_in, booking.check_out)
            nights = freed(await calendars.read(tx, *stay), booking.booking_id)
            if nights:
                await calendars.write(tx, booking.listing_id, nights, booking.updated_at)
            await publish(tx, event)
            return True

        return await self._shards.transact(self._shards.of(booking.booking_id), body)

    async def settle(self, booking: Booking, event: OutboundEvent) -> bool:
        """Note what became of a cancelled booking's money; False if somebody else has."""
        rows = await self._shards.write(
            self._shards.of(booking.booking_id),
            _q.settle_booking,
            booking.booking_id,
            booking.payment_status.value,
            booking.updated_at,
            *arguments([event]),
        )
        return bool(rows)

    async def owe_settlement(self, booking_id: str, due_at: datetime) -> None:
        """Say that a cancelled booking's money is to be settled, again if need be."""
        await self._one_id(_q.owe_settlement, booking_id, due_at)

    async def claim_settlement(
        self, booking_id: str, now: datetime, again_at: datetime
    ) -> Booking | None:
        """Take a settlement that is due; None if somebody else has it."""
        return await self._one(_q.claim_settlement, booking_id, now, again_at)

    async def left_pending(self, now: datetime, limit: int) -> list[str]:
        """Return ids of pending bookings that nobody is at work on, `limit` of each shard."""
        return [row["booking_id"] for row in await self._shards.each(_q.left_pending, now, limit)]

    async def unsettled(self, now: datetime, limit: int) -> list[str]:
        """Return ids of bookings whose money is due to be settled, `limit` of each shard."""
        return [row["booking_id"] for row in await self._shards.each(_q.unsettled, now, limit)]

    async def of_guest(
        self, guest_id: str, state: State | None, after: StayCursor | None, limit: int
    ) -> list[Booking]:
        """Return a guest's bookings, latest check-in first, from all shards."""
        return await self._page(_q.bookings_of_guest, guest_id, state, after, limit)

    async def of_host(
        self, host_id: str, state: State | None, after: StayCursor | None, limit: int
    ) -> list[Booking]:
        """Return a host's bookings, latest check-in first, from all shards."""
        return await self._page(_q.bookings_of_host, host_id, state, after, limit)

    async def _page(
        self, query: Query, user_id: str, state: State | None, after: StayCursor | None, limit: int
    ) -> list[Booking]:
        day, last_id = (None, None) if after is None else (after.check_in, after.booking_id)
        status = None if state is None else state.value
        rows = await self._shards.each(query, user_id, status, day, last_id, limit)
        rows.sort(key=lambda row: (row["check_in"], row["booking_id"]), reverse=True)
        return [_booking_of(row) for row in rows[:limit]]

    async def _one(self, query: Query, booking_id: str, *args: Any) -> Booking | None:
        """Run a statement on the primary that may be run twice, and return the booking it names."""
        rows = await self._one_id(query, booking_id, *args)
        return _booking_of(rows[0]) if rows else None

    async def _one_id(self, query: Query, booking_id: str, *args: Any) -> list[Record]:
        shard = self._shards.of(booking_id)
        return await self._shards.write(shard, query, booking_id, *args, idempotent=True)


def _end_of(booking: Booking, was: State, settle_due_at: datetime | None) -> tuple[Any, ...]:
    assert booking.cancelled_by is not None
    return (
        booking.booking_id,
        was.value,
        booking.payment_status.value,
        booking.cancelled_by.value,
        booking.cancellation_reason,
        booking.decline_code,
        booking.refund_minor,
        settle_due_at,
        booking.updated_at,
    )


def _json_of(booking: Booking) -> dict[str, Any]:
    hold_end = booking.hold_expires_at
    return {
        "booking_id": booking.booking_id,
        "listing_id": booking.listing_id,
        "host_id": booking.host_id,
        "guest_id": booking.guest_id,
        "check_in": booking.check_in.isoformat(),
        "check_out": booking.check_out.isoformat(),
        "guests": booking.guests,
        "status": booking.state.value,
        "payment_status": booking.payment_status.value,
        "currency": booking.price.currency,
        "total_minor": booking.price.total_minor,
        "price": json_of(booking.price),
        "cancellation_policy": booking.cancellation_policy.value,
        "time_zone": booking.time_zone,
        "listing_title": booking.listing_title,
        "hold_expires_at": None if hold_end is None else hold_end.isoformat(),
        "created_at": booking.created_at.isoformat(),
        "updated_at": booking.updated_at.isoformat(),
    }


def _booking_of(row: Record) -> Booking:
    by = row["cancelled_by"]
    return Booking(
        booking_id=row["booking_id"],
        listing_id=row["listing_id"],
        host_id=row["host_id"],
        guest_id=row["guest_id"],
        check_in=row["check_in"],
        check_out=row["check_out"],
        guests=row["guests"],
        state=State(row["status"]),
        payment_status=PaymentStatus(row["payment_status"]),
        confirmation_code=row["confirmation_code"] or "",
        price=price_of(row["price"]),
        cancellation_policy=CancellationPolicy(row["cancellation_policy"]),
        time_zone=row["time_zone"],
        listing_title=row["listing_title"],
        hold_expires_at=row["hold_expires_at"],
        cancelled_by=None if by is None else CancelledBy(by),
        cancellation_reason=row["cancellation_reason"],
        decline_code=row["decline_code"],
        refund_minor=row["refund_minor"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
