"""Booking as its callers meet it: over gRPC, behind the contract's policies."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.money_pb2 import Money
from staymesh.booking.v1 import booking_pb2 as pb
from staymesh.booking.v1 import booking_pb2_grpc, listings_pb2_grpc
from staymesh.booking.v1 import listings_pb2 as lpb

from booking_svc.convert import listings as convert
from mesh.aio import RequestContext, use_context
from mesh.errors import Kind, MeshError
from mesh.ids import new_id
from mesh.rpc.client import Channel
from mesh.testing import LocalMesh
from tests.integration.booking_svc.conftest import ARRIVAL, World
from tests.unit.booking_svc.homes import listing


@dataclass(kw_only=True)
class Calls:
    """Stubs, and how to be somebody."""

    mesh: LocalMesh
    world: World
    listings: Any
    calendars: Any
    bookings: Any
    imports: Any

    async def published(self) -> lpb.Listing:
        sent = convert.listing(listing(), exact=True)
        with self.mesh.signed_in(self.world.host, roles={"host"}):
            draft = await self.listings.CreateListing(lpb.CreateListingRequest(listing=sent))
            published: lpb.Listing = await self.listings.PublishListing(
                lpb.PublishListingRequest(listing_id=draft.listing_id)
            )
        return published

    async def book(
        self, listing_id: str, /, key: str | None = "key-1", **changes: Any
    ) -> pb.Booking:
        fields: dict[str, Any] = {
            "listing_id": listing_id,
            "check_in": ARRIVAL.isoformat(),
            "check_out": ARRIVAL.replace(day=9).isoformat(),
            "guests": 2,
            "expected_total": Money(currency_code="USD", units=420),
            "payment_method_id": "pm_card_visa",
        }
        metadata = () if key is None else (("idempotency-key", key),)
        with self.mesh.signed_in(self.world.guest):
            booking: pb.Booking = await self.bookings.CreateBooking(
                pb.CreateBookingRequest(**(fields | changes)), metadata=metadata
            )
        return booking


@pytest.fixture
async def calls(world: World) -> AsyncIterator[Calls]:
    async with LocalMesh() as mesh:
        await mesh.serve("booking", world.service.mounts())
        channel: Channel = await mesh.connect("booking", caller="stack")
        yield Calls(
            mesh=mesh,
            world=world,
            listings=listings_pb2_grpc.ListingServiceStub(channel),
            calendars=listings_pb2_grpc.CalendarServiceStub(channel),
            bookings=booking_pb2_grpc.BookingServiceStub(channel),
            imports=listings_pb2_grpc.ListingImportServiceStub(channel),
        )


async def test_a_key_gives_one_answer_and_refuses_another_body(calls: Calls) -> None:
    home = await calls.published()
    first = await calls.book(home.listing_id)
    assert first.status == pb.BOOKING_STATUS_CONFIRMED
    assert await calls.book(home.listing_id) == first
    with pytest.raises(MeshError) as reused:
        await calls.book(home.listing_id, guests=3)
    assert reused.value.reason == "IDEMPOTENCY_KEY_REUSED"
    with pytest.raises(MeshError) as missing:
        await calls.book(home.listing_id, key=None)
    assert missing.value.reason == "IDEMPOTENCY_KEY_REQUIRED"
    assert calls.world.payments.authorizations == 1


async def test_a_herd_under_one_key_books_once(calls: Calls) -> None:
    home = await calls.published()
    outcomes = await asyncio.gather(
        *(calls.book(home.listing_id) for _ in range(30)), return_exceptions=True
    )
    booked = [one for one in outcomes if isinstance(one, pb.Booking)]
    refused = {one.reason for one in outcomes if isinstance(one, MeshError)}
    assert refused <= {"IDEMPOTENCY_IN_PROGRESS"}
    assert len({one.booking_id for one in booked}) == 1
    assert calls.world.payments.authorizations == 1
    assert (await calls.book(home.listing_id)).booking_id == booked[0].booking_id


async def test_a_failed_try_can_be_made_again_with_the_same_key(calls: Calls) -> None:
    home = await calls.published()
    calls.world.payments.stopped = True
    with pytest.raises(MeshError) as unavailable:
        await calls.book(home.listing_id)
    assert (unavailable.value.kind, unavailable.value.reason) == (
        Kind.UNAVAILABLE,
        "PAYMENT_UNAVAILABLE",
    )
    calls.world.payments.stopped = False
    assert (await calls.book(home.listing_id)).status == pb.BOOKING_STATUS_CONFIRMED


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({"check_in": "2026-07-09", "check_out": "2026-07-06"}, Kind.INVALID, "STAY_REFUSED"),
        ({"check_in": "2020-07-06"}, Kind.INVALID, "STAY_REFUSED"),
        ({"check_in": "2026-02-30"}, Kind.INVALID, "VALUE_INVALID"),
        ({"check_out": "9999-12-31"}, Kind.INVALID, "STAY_REFUSED"),
        ({"guests": 5}, Kind.INVALID, "STAY_REFUSED"),
        ({"listing_id": new_id("lst", now_ms=0)}, Kind.NOT_FOUND, "LISTING_NOT_FOUND"),
        (
            {"expected_total": Money(currency_code="USD", units=300)},
            Kind.CONFLICT,
            "PRICE_CHANGED",
        ),
        ({"expected_total": Money(currency_code="???")}, Kind.INVALID, "VALUE_INVALID"),
        (
            {"quote_id": new_id("quo", now_ms=0)},
            Kind.FAILED_PRECONDITION,
            "QUOTE_EXPIRED",
        ),
        ({"payment_method_id": "pm_card_declined"}, Kind.FAILED_PRECONDITION, "PAYMENT_DECLINED"),
    ],
)
async def test_bad_bookings_get_a_clear_refusal_and_leave_nothing(
    calls: Calls, changes: dict[str, Any], kind: Kind, reason: str
) -> None:
    home = await calls.published()
    with pytest.raises(MeshError) as refused:
        await calls.book(home.listing_id, **changes)
    assert (refused.value.kind, refused.value.reason) == (kind, reason)
    assert await calls.world.nights(home.listing_id) == {}


async def test_a_second_guest_is_told_of_the_conflict(calls: Calls) -> None:
    home = await calls.published()
    await calls.book(home.listing_id)
    calls.world.guest = new_id("usr", now_ms=0)
    with pytest.raises(MeshError) as refused:
        await calls.book(
            home.listing_id,
            check_in="2026-07-08",
            check_out="2026-07-12",
            expected_total=Money(currency_code="USD", units=550),
        )
    assert (refused.value.kind, refused.value.reason) == (Kind.CONFLICT, "DATES_UNAVAILABLE")


async def test_guests_see_the_shown_place_and_the_host_the_exact_one(calls: Calls) -> None:
    home = await calls.published()
    request = lpb.GetListingRequest(listing_id=home.listing_id)
    seen = await calls.listings.GetListing(request)
    assert (seen.address.street, seen.address.city) == ("", "Albany")
    assert seen.location != home.location
    with calls.mesh.signed_in(calls.world.host, roles={"host"}):
        assert await calls.listings.GetListing(request) == home


async def test_a_mask_names_what_changes_and_nothing_else_can(calls: Calls) -> None:
    home = await calls.published()

    async def update(paths: list[str], etag: str = "") -> lpb.Listing:
        sent = lpb.Listing(title="New", host_id="usr_evil", rating=5)
        with calls.mesh.signed_in(calls.world.host, roles={"host"}):
            updated: lpb.Listing = await calls.listings.UpdateListing(
                lpb.UpdateListingRequest(
                    listing_id=home.listing_id,
                    listing=sent,
                    update_mask=FieldMask(paths=paths),
                    etag=etag,
                )
            )
        return updated

    after = await update(["title"], home.etag)
    assert (after.title, after.rating, after.host_id) == ("New", 0, calls.world.host)
    for paths in (["rating"], ["host_id"], ["status"], ["title", "listing_id"]):
        with pytest.raises(MeshError) as refused:
            await update(paths)
        assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "LISTING_INVALID")
    with pytest.raises(MeshError) as stale:
        await update(["title"], home.etag)
    assert (stale.value.kind, stale.value.reason) == (Kind.CONFLICT, "ETAG_MISMATCH")


async def test_a_stay_from_quote_to_cancellation(calls: Calls) -> None:
    home = await calls.published()
    stay: dict[str, Any] = {
        "listing_id": home.listing_id,
        "check_in": ARRIVAL.isoformat(),
        "check_out": ARRIVAL.replace(day=9).isoformat(),
        "guests": 2,
    }
    quote = await calls.bookings.CreateQuote(pb.CreateQuoteRequest(**stay))
    booking = await calls.book(home.listing_id, quote_id=quote.quote_id, expected_total=None)
    assert booking.price == quote.price
    month = await calls.calendars.GetAvailability(
        lpb.GetAvailabilityRequest(listing_id=home.listing_id, month="2026-07")
    )
    booked = [n.date for n in month.nights if n.status == lpb.NIGHT_STATUS_BOOKED]
    assert booked == ["2026-07-06", "2026-07-07", "2026-07-08"]
    with calls.mesh.signed_in(calls.world.host, roles={"host"}):
        reservations = await calls.bookings.ListHostBookings(
            pb.ListHostBookingsRequest(host_id=calls.world.host)
        )
    assert list(reservations.bookings) == [booking]
    with calls.mesh.signed_in(calls.world.guest):
        cancelled = await calls.bookings.CancelBooking(
            pb.CancelBookingRequest(booking_id=booking.booking_id, reason="ill")
        )
        trips = await calls.bookings.ListGuestBookings(
            pb.ListGuestBookingsRequest(user_id="me", status=pb.BOOKING_STATUS_CANCELLED)
        )
    assert cancelled.refund == booking.price.total
    assert cancelled.payment_status == pb.PAYMENT_STATUS_REFUNDED
    assert list(trips.bookings) == [cancelled]


@pytest.mark.parametrize(
    "call",
    [
        lambda c, i: c.calendars.BlockDates(
            lpb.BlockDatesRequest(listing_id=i, start_date="2026-07-06", end_date="2026-07-07")
        ),
        lambda c, i: c.bookings.GetBooking(
            pb.GetBookingRequest(booking_id=new_id("bkg", now_ms=0))
        ),
        lambda c, _: c.bookings.ListGuestBookings(pb.ListGuestBookingsRequest(user_id="me")),
    ],
)
async def test_nobody_is_refused_what_somebody_may(
    calls: Calls, call: Callable[[Calls, str], Any]
) -> None:
    home = await calls.published()
    with use_context(RequestContext()), pytest.raises(MeshError) as refused:
        await call(calls, home.listing_id)
    assert refused.value.kind is Kind.UNAUTHENTICATED


async def test_services_load_listings_and_people_do_not(calls: Calls) -> None:
    sent = convert.listing(listing(), exact=True)
    batch = lpb.ImportListingsRequest(
        source="test:calls", listings=[lpb.ImportedListing(source_id="1", listing=sent)]
    )

    async def batches() -> AsyncIterator[lpb.ImportListingsRequest]:
        yield batch

    done = await calls.imports.ImportListings(batches())
    assert (done.created, [one.source_id for one in done.ids]) == (1, ["1"])
    nobody = listings_pb2_grpc.ListingImportServiceStub(await calls.mesh.connect("booking"))
    with pytest.raises(MeshError) as refused:
        await nobody.ImportListings(batches())
    assert refused.value.kind is Kind.FORBIDDEN
