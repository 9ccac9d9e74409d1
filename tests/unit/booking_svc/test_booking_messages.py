"""Messages to domain and back; events as others read them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.latlng_pb2 import LatLng
from google.type.money_pb2 import Money as MoneyMessage
from staymesh.booking.v1 import booking_pb2, listings_pb2
from staymesh.events.v1 import events_pb2

from booking_svc.convert import bookings, events, imports, listings, values
from booking_svc.domain.booking import CancelledBy, cancelled, confirmed
from booking_svc.domain.calendar import Night, NightStatus
from booking_svc.domain.imported import ImportRefused, imported_id
from booking_svc.domain.listing import Details, ListingStatus
from booking_svc.domain.money import Money
from booking_svc.domain.place import Point
from mesh.ids import shard_of
from tests.unit.booking_svc.homes import DETAILS, HOST, LISTING, NOW, booking, listing

ENTROPY = b"12345678"


def test_what_a_host_sent_comes_back_and_what_only_we_set_is_not_read() -> None:
    message = listings.listing(listing(), exact=True)
    assert listings.details(message) == DETAILS
    message.host_id, message.rating, message.status = (
        "usr_evil",
        5.0,
        listings_pb2.LISTING_STATUS_SUSPENDED,
    )
    assert listings.details(message) == DETAILS


def test_strangers_see_neither_street_nor_exact_place() -> None:
    message = listings.listing(listing(), exact=False)
    assert (message.address.street, message.address.postal_code) == ("", "")
    assert message.address.city == "Albany"
    assert message.location == LatLng(latitude=42.653, longitude=-73.752)


def test_zeros_and_absences_become_what_the_contract_says() -> None:
    details = listings.details(
        listings_pb2.Listing(location=LatLng(latitude=1.35, longitude=103.8))
    )
    assert details == Details(location=Point(1.35, 103.8), time_zone="Asia/Singapore")
    assert (details.min_nights, details.max_nights, details.bedrooms) == (1, 365, None)


@pytest.mark.parametrize(
    ("units", "nanos", "currency"),
    [(1, 5_000_000, "USD"), (1, 0, "XXX"), (1, -1, "USD"), (10**15, 0, "USD"), (1, 0, "")],
)
def test_money_that_does_not_exist_names_its_field(units: int, nanos: int, currency: str) -> None:
    message = listings_pb2.Listing(
        base_price=MoneyMessage(units=units, nanos=nanos, currency_code=currency)
    )
    with pytest.raises(values.ValueInvalid) as refused:
        listings.details(message)
    assert refused.value.violations[0].field == "listing.base_price"


def test_money_has_the_decimals_of_its_currency() -> None:
    assert values.money(values.money_message(1250, "JPY"), "x") == Money(1250, "JPY")
    assert values.money_message(1250, "KWD") == MoneyMessage(
        currency_code="KWD", units=1, nanos=250_000_000
    )


def test_a_day_that_does_not_exist_names_its_field() -> None:
    request = booking_pb2.CreateQuoteRequest(check_in="2026-02-30", check_out="2026-03-02")
    with pytest.raises(values.ValueInvalid) as refused:
        bookings.stay(request)
    assert refused.value.violations[0].field == "check_in"


def test_a_bookings_lines_add_up_to_its_total() -> None:
    message = bookings.booking(confirmed(booking(), "ABC234", NOW))
    price = message.price
    lines = [price.accommodation, price.cleaning_fee, price.service_fee]
    lines += [tax.amount for tax in price.taxes]
    total = sum(values.money(line, "x").amount_minor for line in lines)
    assert total == values.money(price.total, "x").amount_minor
    assert sum(n.price.units for n in price.nightly) == price.accommodation.units
    assert (message.status, message.confirmation_code) == (2, "ABC234")
    assert not message.HasField("refund")


def test_a_cancelled_booking_says_what_came_back() -> None:
    message = bookings.booking(cancelled(booking(), CancelledBy.GUEST, "ill", NOW))
    assert message.cancelled_by == booking_pb2.CANCELLED_BY_GUEST
    assert message.refund == message.price.total


def test_a_listings_event_has_the_exact_place_beside_the_shown_one() -> None:
    event = events.listing_changed(listing(version=7), "listing.updated", NOW)
    told = events_pb2.Event.FromString(event.payload)
    assert (event.topic, event.key) == ("staymesh.listings", LISTING)
    assert (told.kind, told.aggregate_id) == ("listing.updated", LISTING)
    changed = told.listing_changed
    assert (changed.version, changed.lat, changed.lng) == (7, 42.65, -73.75)
    assert changed.listing.location.latitude == 42.653


def test_a_calendars_event_has_days_since_1970_and_prices_of_their_own() -> None:
    nights = [
        Night(date=date(1970, 1, 2), price_minor=700),
        Night(date=date(2026, 7, 6), status=NightStatus.BLOCKED),
    ]
    event = events.calendar_changed(LISTING, 9, nights, NOW)
    changed = events_pb2.Event.FromString(event.payload).calendar_changed
    assert (event.topic, changed.version) == ("staymesh.calendars", 9)
    assert [(n.day, n.available, n.price_minor) for n in changed.nights] == [
        (1, True, 700),
        ((date(2026, 7, 6) - date(1970, 1, 1)).days, False, 0),
    ]


def test_the_same_change_told_again_is_the_same_event() -> None:
    one = events.booking_changed(booking(), "booking.held")
    assert one == events.booking_changed(booking(), "booking.held")
    later = replace(booking(), updated_at=NOW + timedelta(microseconds=1))
    told = [
        events_pb2.Event.FromString(e.payload)
        for e in (
            one,
            events.booking_changed(later, "booking.held"),
            events.booking_changed(booking(), "booking.confirmed"),
        )
    ]
    assert len({event.event_id for event in told}) == 3
    assert {shard_of(event.event_id) for event in told} == {shard_of(LISTING)}


def imported(**changes: object) -> listings_pb2.ImportedListing:
    message = listings.listing(listing(), exact=True)
    message.rating, message.review_count, message.superhost = 4.8, 12, True
    message.create_time.CopyFrom(Timestamp(seconds=1))
    return listings_pb2.ImportedListing(source_id="42", listing=message, **changes)  # type: ignore[arg-type]


def test_an_imported_home_keeps_its_host_and_rating_and_has_one_id_for_ever() -> None:
    home = imports.home("inside-airbnb:albany", imported(), NOW, ENTROPY)
    assert home.listing.listing_id == imported_id("inside-airbnb:albany", "42")
    assert home.listing.listing_id != imported_id("inside-airbnb:singapore", "42")
    assert (home.listing.host_id, home.listing.rating) == (HOST, 4.8)
    assert home.listing.status is ListingStatus.ACTIVE
    assert home.nights == []


def test_imported_nights_are_bits_and_prices_from_the_first_day_on() -> None:
    message = imported(calendar_start="2026-06-01", unavailable=b"\x05\x01", prices_minor=[0, 7, 8])
    home = imports.home("world", message, NOW, ENTROPY)
    assert [(n.date.day, n.status, n.price_minor) for n in home.nights] == [
        (1, NightStatus.BLOCKED, None),
        (2, None, 7),
        (3, NightStatus.BLOCKED, 8),
        (9, NightStatus.BLOCKED, None),
    ]


def test_an_imported_home_that_cannot_be_shown_is_named() -> None:
    message = imported()
    message.listing.title = " "
    with pytest.raises(ImportRefused) as refused:
        imports.home("world", message, NOW, ENTROPY)
    assert refused.value.metadata == {"source_id": "42"}
    assert refused.value.violations[0].field == "title"
    message = imported()
    message.listing.host_id = "nobody"
    with pytest.raises(ImportRefused):
        imports.home("world", message, NOW, ENTROPY)
    with pytest.raises(ImportRefused):
        imports.home("world", imported(prices_minor=[-1]), NOW, ENTROPY)
