"""Finish or undo what a crash left.

1. pending bookings that nobody is at work on: take one, ask how its payment ended, finish it
2. a hold whose time is over, paid or not: give the nights back, and owe whatever may have been paid
3. cancelled bookings whose money is owed: take one, settle it

Each is taken by one conditional UPDATE, so several sweepers share the work, and what cannot be
done now is tried again. A request holds its booking for 22 s at most; with a round every few
seconds, what a crash left is done within 60 s of it, as long as the payment service answers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from booking_svc.domain.booking import Booking, ReleaseReason, State
from booking_svc.domain.payment import PaymentUnavailable
from booking_svc.flows.finish_booking import FinishBooking
from booking_svc.flows.needs import Payments
from booking_svc.flows.settle_cancellation import SettleCancellation
from booking_svc.store.bookings import Bookings
from mesh.aio import Group, within
from mesh.clock import Clock
from mesh.errors import MeshError

_log = structlog.stdlib.get_logger(__name__)

_AT_ONCE: Final = 4
_BATCH: Final = 20
"""Of each shard, in one round."""
_ONE_SECONDS: Final = 12.0
_TRY_AGAIN: Final = timedelta(seconds=15)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One round, or rounds without end."""

    bookings: Bookings
    payments: Payments
    finish: FinishBooking
    settle: SettleCancellation
    clock: Clock

    async def __call__(self) -> int:
        """Do one round and return how many bookings it looked at."""
        now = self.clock.now()
        pending = await self.bookings.left_pending(now, _BATCH)
        await self._each(pending, self._finish_one)
        unsettled = await self.bookings.unsettled(self.clock.now(), _BATCH)
        await self._each(unsettled, self._settle_one)
        return len(pending) + len(unsettled)

    async def forever(self, every_seconds: float) -> None:
        """Do rounds until cancelled. A round that fails is logged, and the next one tries again."""
        while True:
            try:
                await self()
            except MeshError as error:
                _log.warning("sweep failed", reason=error.reason)
            await asyncio.sleep(every_seconds)

    async def _each(self, ids: list[str], work: Callable[[str], Awaitable[None]]) -> None:
        async with Group(limit=_AT_ONCE) as group:
            for booking_id in ids:
                await group.go(_alone(booking_id, work))

    async def _finish_one(self, booking_id: str) -> None:
        now = self.clock.now()
        booking = await self.bookings.lease(booking_id, now, now + _TRY_AGAIN)
        if booking is None:
            return
        after = await self._by_payment(booking)
        if after.state is State.PENDING and _is_over(booking, self.clock):
            after = await self.finish.release(booking, ReleaseReason.EXPIRED)
        if after.state is not State.PENDING:
            _log.info("swept", booking_id=booking_id, state=after.state.value)

    async def _by_payment(self, booking: Booking) -> Booking:
        try:
            return await self.finish(booking, await self.payments.find(booking.booking_id))
        except PaymentUnavailable:
            # A hold does not outlive its time because nobody can say how the payment ended.
            return booking

    async def _settle_one(self, booking_id: str) -> None:
        now = self.clock.now()
        booking = await self.bookings.claim_settlement(booking_id, now, now + _TRY_AGAIN)
        if booking is not None:
            await self.settle(booking)


def _is_over(booking: Booking, clock: Clock) -> bool:
    return booking.hold_expires_at is not None and booking.hold_expires_at <= clock.now()


async def _alone(booking_id: str, work: Callable[[str], Awaitable[None]]) -> None:
    """Do one, and let its failure be its own: the others are not to wait for it."""
    try:
        async with within(_ONE_SECONDS):
            await work(booking_id)
    except Exception:
        _log.warning("not swept", booking_id=booking_id, exc_info=True)
