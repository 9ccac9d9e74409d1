"""A listing, a stay and a booking to begin with."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from booking_svc.domain.booking import Booking
from booking_svc.domain.calendar import Calendar
from booking_svc.domain.cancellation import CancellationPolicy
from booking_svc.domain.listing import Details, Listing, ListingStatus, PropertyType
from booking_svc.domain.money import Money
from booking_svc.domain.place import Address, Point
from booking_svc.domain.price import price_of
from booking_svc.domain.stay import Stay
from mesh.ids import new_id

NOW: Final = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOST: Final = new_id("usr", now_ms=0, bucket=1, entropy=b"host-host-host")
GUEST: Final = new_id("usr", now_ms=0, bucket=2, entropy=b"guest-guest-guest")
LISTING: Final = new_id("lst", now_ms=0, bucket=0x321, entropy=b"home-home-home")
BOOKING: Final = new_id("bkg", now_ms=0, bucket=0x321, entropy=b"stay-stay-stay")

DETAILS: Final = Details(
    title="A room with a view",
    property_type=PropertyType.APARTMENT,
    address=Address(street="1 Main St", city="Albany", state="NY", country_code="US"),
    location=Point(42.65, -73.75),
    time_zone="America/New_York",
    max_guests=4,
    base_price=Money(100_00, "USD"),
    cleaning_fee=Money(50_00, "USD"),
    min_nights=2,
    max_nights=30,
)
STAY: Final = Stay(check_in=date(2026, 7, 6), check_out=date(2026, 7, 9), guests=2)


def listing(**changes: Any) -> Listing:
    """Return an active listing of HOST."""
    one = Listing(
        listing_id=LISTING,
        host_id=HOST,
        status=ListingStatus.ACTIVE,
        details=DETAILS,
        public_location=Point(42.653, -73.752),
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(one, **changes)


def booking(**changes: Any) -> Booking:
    """Return a pending booking of GUEST: three nights, with a total of 392.00 + taxes in USD."""
    one = Booking(
        booking_id=BOOKING,
        listing_id=LISTING,
        host_id=HOST,
        guest_id=GUEST,
        check_in=STAY.check_in,
        check_out=STAY.check_out,
        guests=STAY.guests,
        price=price_of(DETAILS, Calendar(listing_id=LISTING, version=0), STAY),
        cancellation_policy=CancellationPolicy.MODERATE,
        time_zone="America/New_York",
        listing_title=DETAILS.title,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(one, **changes)
