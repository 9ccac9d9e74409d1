"""Cancel a stay.

1. find the booking and who asks: its guest or its host; for others it is not there
2. decide the refund by the frozen policy and the listing's own day
3. write the end, free the nights, tell; the money is owed from here on
4. settle the money; if that cannot be done now, the sweeper does it
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from booking_svc.convert.events import booking_changed
from booking_svc.domain.booking import Booking, State, cancelled, party
from booking_svc.flows.settle_cancellation import SettleCancellation
from booking_svc.store.bookings import Bookings
from mesh.aio import require_user
from mesh.clock import Clock
from mesh.errors import Conflict, MeshError

_log = structlog.stdlib.get_logger(__name__)

OURS_FOR: Final = timedelta(seconds=20)
"""How long the request may take to settle before the sweeper takes over."""
_TRIES: Final = 3


class BookingMoved(Conflict):
    """The booking kept changing while it was being cancelled; ask again."""

    reason = "BOOKING_MOVED"


@dataclass(frozen=True, kw_only=True)
class CancelBooking:
    """End a booking for its guest or its host."""

    bookings: Bookings
    settle: SettleCancellation
    clock: Clock

    async def __call__(self, booking_id: str, reason: str) -> Booking:
        """Return the cancelled booking; one that is cancelled already comes back as it is.

        Raise BookingNotFound, BookingStateRefuses, BookingMoved.
        """
        user_id = require_user().user_id
        for _ in range(_TRIES):
            booking, by = party(await self.bookings.get_to_decide(booking_id), user_id)
            if booking.state is State.CANCELLED:
                return booking
            after = cancelled(booking, by, reason, self.clock.now())
            if await self._end(after, booking.state):
                return await self._settled(after)
        raise BookingMoved("the booking is changing; try again")

    async def _end(self, after: Booking, was: State) -> bool:
        due_at = after.updated_at + OURS_FOR
        event = booking_changed(after, "booking.cancelled")
        return await self.bookings.end(after, was, due_at, event)

    async def _settled(self, booking: Booking) -> Booking:
        try:
            return await self.settle(booking)
        except MeshError:
            # It is cancelled and its money is owed; that is what the answer says.
            _log.warning("settled later", booking_id=booking.booking_id, exc_info=True)
            return booking
