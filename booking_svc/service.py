"""The servicers: convert in, one flow, convert out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.empty_pb2 import Empty
from staymesh.booking.v1 import booking_pb2 as bookings_pb
from staymesh.booking.v1 import booking_pb2_grpc as bookings_grpc
from staymesh.booking.v1 import listings_pb2 as pb
from staymesh.booking.v1 import listings_pb2_grpc as grpc_stubs

from booking_svc.convert import bookings, calendars, listings, values
from booking_svc.domain.month import Month
from booking_svc.flows.cancel_booking import CancelBooking
from booking_svc.flows.change_calendar import ChangeCalendar
from booking_svc.flows.create_booking import CreateBooking, NewBooking
from booking_svc.flows.create_listing import CreateListing
from booking_svc.flows.create_quote import CreateQuote
from booking_svc.flows.get_availability import GetAvailability
from booking_svc.flows.get_booking import GetBooking
from booking_svc.flows.get_listing import GetListing
from booking_svc.flows.import_listings import ImportListings
from booking_svc.flows.list_bookings import ListBookings, PageRequest
from booking_svc.flows.list_host_listings import ListHostListings
from booking_svc.flows.update_listing import ListingEdit, UpdateListing


@dataclass(frozen=True, kw_only=True)
class Flows:
    """Every verb of the service."""

    create_listing: CreateListing
    get_listing: GetListing
    update_listing: UpdateListing
    list_host_listings: ListHostListings
    get_availability: GetAvailability
    change_calendar: ChangeCalendar
    import_listings: ImportListings
    create_quote: CreateQuote
    create_booking: CreateBooking
    get_booking: GetBooking
    cancel_booking: CancelBooking
    list_bookings: ListBookings


class ListingServicer(grpc_stubs.ListingServiceServicer):
    """A host's homes."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows

    async def CreateListing(self, request: pb.CreateListingRequest, _context: Any) -> pb.Listing:
        """Create a draft."""
        created = await self._flows.create_listing(listings.details(request.listing))
        return listings.listing(created, exact=True)

    async def GetListing(self, request: pb.GetListingRequest, _context: Any) -> pb.Listing:
        """Show a listing's page."""
        shown = await self._flows.get_listing(request.listing_id)
        return listings.listing(shown.listing, exact=shown.exact)

    async def UpdateListing(self, request: pb.UpdateListingRequest, _context: Any) -> pb.Listing:
        """Change the fields that the mask names."""
        edit = ListingEdit(
            given=listings.details(request.listing),
            paths=frozenset(request.update_mask.paths),
            etag=request.etag,
        )
        edited = await self._flows.update_listing.edit(request.listing_id, edit)
        return listings.listing(edited, exact=True)

    async def PublishListing(self, request: pb.PublishListingRequest, _context: Any) -> pb.Listing:
        """Put a listing on the market."""
        published = await self._flows.update_listing.publish(request.listing_id)
        return listings.listing(published, exact=True)

    async def DeleteListing(self, request: pb.DeleteListingRequest, _context: Any) -> Empty:
        """Take a listing off the market for good."""
        await self._flows.update_listing.delete(request.listing_id)
        return Empty()

    async def ListHostListings(
        self,
        request: pb.ListHostListingsRequest,
        _context: Any,
    ) -> pb.ListHostListingsResponse:
        """List one's own listings."""
        page = await self._flows.list_host_listings(
            request.host_id, request.page_size, request.page_token
        )
        return pb.ListHostListingsResponse(
            listings=[listings.listing(listing, exact=True) for listing in page.listings],
            next_page_token=page.next_token,
        )


class CalendarServicer(grpc_stubs.CalendarServiceServicer):
    """The nights of a listing."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows

    async def GetAvailability(
        self,
        request: pb.GetAvailabilityRequest,
        _context: Any,
    ) -> pb.GetAvailabilityResponse:
        """Show a month."""
        month = Month.of(request.month)
        return calendars.month(await self._flows.get_availability(request.listing_id, month))

    async def BlockDates(self, request: pb.BlockDatesRequest, _context: Any) -> pb.CalendarChange:
        """Take nights off the market."""
        changed = await self._flows.change_calendar.block(calendars.dates(request), request.notes)
        return calendars.change(request.listing_id, changed)

    async def UnblockDates(
        self,
        request: pb.UnblockDatesRequest,
        _context: Any,
    ) -> pb.CalendarChange:
        """Put blocked nights back."""
        changed = await self._flows.change_calendar.unblock(calendars.dates(request))
        return calendars.change(request.listing_id, changed)

    async def SetPrice(self, request: pb.SetPriceRequest, _context: Any) -> pb.CalendarChange:
        """Set the price of nights."""
        changed = await self._flows.change_calendar.set_price(
            calendars.dates(request), calendars.price(request)
        )
        return calendars.change(request.listing_id, changed)


class ListingImportServicer(grpc_stubs.ListingImportServiceServicer):
    """Bulk loading."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows

    async def ImportListings(
        self,
        request_iterator: AsyncIterator[pb.ImportListingsRequest],
        _context: Any,
    ) -> pb.ImportListingsResponse:
        """Load batches of listings."""
        summary = await self._flows.import_listings(request_iterator)
        return pb.ImportListingsResponse(
            created=summary.created,
            unchanged=summary.unchanged,
            nights=summary.nights,
            ids=[
                pb.ImportedId(source_id=source_id, listing_id=listing_id)
                for source_id, listing_id in summary.ids
            ],
        )


class BookingServicer(bookings_grpc.BookingServiceServicer):
    """From a price to a stay."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows

    async def CreateQuote(
        self,
        request: bookings_pb.CreateQuoteRequest,
        _context: Any,
    ) -> bookings_pb.Quote:
        """Say what a stay would cost."""
        quote = await self._flows.create_quote(request.listing_id, bookings.stay(request))
        return bookings.quote(quote)

    async def CreateBooking(
        self,
        request: bookings_pb.CreateBookingRequest,
        _context: Any,
    ) -> bookings_pb.Booking:
        """Book a stay."""
        agreed = request.expected_total if request.HasField("expected_total") else None
        booking = await self._flows.create_booking(
            NewBooking(
                listing_id=request.listing_id,
                stay=bookings.stay(request),
                quote_id=request.quote_id,
                expected_total=agreed and values.money(agreed, "expected_total"),
                payment_method_id=request.payment_method_id,
            )
        )
        return bookings.booking(booking)

    async def GetBooking(
        self,
        request: bookings_pb.GetBookingRequest,
        _context: Any,
    ) -> bookings_pb.Booking:
        """Show a booking."""
        return bookings.booking(await self._flows.get_booking(request.booking_id))

    async def CancelBooking(
        self,
        request: bookings_pb.CancelBookingRequest,
        _context: Any,
    ) -> bookings_pb.Booking:
        """Cancel a stay."""
        return bookings.booking(
            await self._flows.cancel_booking(request.booking_id, request.reason)
        )

    async def ListGuestBookings(
        self,
        request: bookings_pb.ListGuestBookingsRequest,
        _context: Any,
    ) -> bookings_pb.ListGuestBookingsResponse:
        """List one's trips."""
        page = await self._flows.list_bookings.of_guest(_page(request.user_id, request))
        return bookings_pb.ListGuestBookingsResponse(
            bookings=map(bookings.booking, page.bookings), next_page_token=page.next_token
        )

    async def ListHostBookings(
        self,
        request: bookings_pb.ListHostBookingsRequest,
        _context: Any,
    ) -> bookings_pb.ListHostBookingsResponse:
        """List one's reservations."""
        page = await self._flows.list_bookings.of_host(_page(request.host_id, request))
        return bookings_pb.ListHostBookingsResponse(
            bookings=map(bookings.booking, page.bookings), next_page_token=page.next_token
        )


def _page(
    user_id: str,
    request: bookings_pb.ListGuestBookingsRequest | bookings_pb.ListHostBookingsRequest,
) -> PageRequest:
    return PageRequest(
        user_id=user_id,
        state=bookings.STATE_OF.get(request.status),
        size=request.page_size,
        token=request.page_token,
    )
