"""List a guest's trips, or a host's reservations, from all shards.

1. only one's own
2. ask every shard for a page from the cursor on, and keep the first of them all
3. one more than asked for says whether there is a next page
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from booking_svc.domain.access import own_id
from booking_svc.domain.booking import Booking, State
from booking_svc.domain.paging import DEFAULT_SIZE, StayCursor
from booking_svc.store.bookings import Bookings
from mesh.aio import require_user

_Find = Callable[[str, State | None, StayCursor | None, int], Awaitable[list[Booking]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Whose bookings ("me" for one's own), in which state, from where on."""

    user_id: str
    state: State | None
    size: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Bookings, latest check-in first, and the token of the next page (empty on the last)."""

    bookings: list[Booking]
    next_token: str


@dataclass(frozen=True, kw_only=True)
class ListBookings:
    """List by guest or by host."""

    bookings: Bookings

    async def of_guest(self, request: PageRequest) -> Page:
        """Return a page of one's trips. Raise NotYours, PageTokenInvalid."""
        return await _page(request, self.bookings.of_guest)

    async def of_host(self, request: PageRequest) -> Page:
        """Return a page of one's reservations. Raise NotYours, PageTokenInvalid."""
        return await _page(request, self.bookings.of_host)


async def _page(request: PageRequest, find: _Find) -> Page:
    user_id = own_id(request.user_id, require_user().user_id)
    size = request.size or DEFAULT_SIZE
    found = await find(user_id, request.state, StayCursor.of(request.token), size + 1)
    page = found[:size]
    last = page[-1] if len(found) > size else None
    token = "" if last is None else StayCursor(last.check_in, last.booking_id).token
    return Page(bookings=page, next_token=token)
