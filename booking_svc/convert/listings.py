"""Listings."""

from typing import Final, Literal

from google.type.money_pb2 import Money as MoneyMessage
from staymesh.booking.v1 import listings_pb2 as pb

from booking_svc.convert.values import latlng, money, money_message, point, timestamp
from booking_svc.domain.cancellation import CancellationPolicy
from booking_svc.domain.listing import UNSAID, Details, Listing, ListingStatus, PropertyType
from booking_svc.domain.money import Money
from booking_svc.domain.place import Address, time_zone_at
from booking_svc.domain.text import clean_html, clean_line

STATUS: Final = {
    status: pb.ListingStatus.Value(f"LISTING_STATUS_{status.name}") for status in ListingStatus
}
PROPERTY_TYPE: Final = {
    kind: pb.PropertyType.Value(f"PROPERTY_TYPE_{kind.name}") for kind in PropertyType
}
POLICY: Final = {
    policy: pb.CancellationPolicy.Value(f"CANCELLATION_POLICY_{policy.name}")
    for policy in CancellationPolicy
}
_PROPERTY_TYPE_OF: Final = {number: kind for kind, number in PROPERTY_TYPE.items()}
_POLICY_OF: Final = {number: policy for policy, number in POLICY.items()}
STATUS_OF: Final = {number: status for status, number in STATUS.items()}
_ADDRESS_FIELDS: Final = ("street", "city", "state", "country_code", "postal_code")


def details(message: pb.Listing) -> Details:
    """Read what a host says of a home; fields that only the service sets are not looked at.

    Text is cleaned, zeros become the defaults that the contract names, and an empty time zone is
    found from the location. Raise ValueInvalid.
    """
    location = point(message.location) if message.HasField("location") else None
    zone = message.time_zone
    if not zone and location is not None and location.on_earth:
        zone = time_zone_at(location)
    return Details(
        title=clean_line(message.title),
        description=clean_html(message.description),
        property_type=_PROPERTY_TYPE_OF[message.property_type],
        address=Address(**{f: clean_line(getattr(message.address, f)) for f in _ADDRESS_FIELDS}),
        location=location,
        time_zone=zone,
        max_guests=message.max_guests,
        bedrooms=message.bedrooms if message.HasField("bedrooms") else None,
        beds=message.beds if message.HasField("beds") else None,
        bathrooms=message.bathrooms if message.HasField("bathrooms") else None,
        amenities=tuple(sorted(message.amenities)),
        base_price=_money(message, "base_price"),
        weekend_price=_money(message, "weekend_price"),
        cleaning_fee=_money(message, "cleaning_fee"),
        min_nights=message.min_nights or UNSAID.min_nights,
        max_nights=message.max_nights or UNSAID.max_nights,
        instant_book=message.instant_book,
        cancellation_policy=_POLICY_OF.get(message.cancellation_policy, UNSAID.cancellation_policy),
        check_in_time=message.check_in_time or UNSAID.check_in_time,
        check_out_time=message.check_out_time or UNSAID.check_out_time,
    )


def _money(
    message: pb.Listing, field: Literal["base_price", "weekend_price", "cleaning_fee"]
) -> Money | None:
    if not message.HasField(field):
        return None
    return money(getattr(message, field), f"listing.{field}")


def listing(value: Listing, *, exact: bool) -> pb.Listing:
    """Return a listing as a message: `exact` for its host, else without street and exact point."""
    details = value.details
    location = details.location if exact else value.public_location
    return pb.Listing(
        listing_id=value.listing_id,
        host_id=value.host_id,
        status=STATUS[value.status],
        etag=value.etag,
        title=details.title,
        description=details.description,
        property_type=PROPERTY_TYPE[details.property_type],
        address=_address(details.address if exact else details.address.public),
        location=None if location is None else latlng(location),
        time_zone=details.time_zone,
        max_guests=details.max_guests,
        bedrooms=details.bedrooms,
        beds=details.beds,
        bathrooms=details.bathrooms,
        amenities=details.amenities,
        base_price=_money_message(details.base_price),
        weekend_price=_money_message(details.weekend_price),
        cleaning_fee=_money_message(details.cleaning_fee),
        min_nights=details.min_nights,
        max_nights=details.max_nights,
        instant_book=details.instant_book,
        cancellation_policy=POLICY[details.cancellation_policy],
        check_in_time=details.check_in_time,
        check_out_time=details.check_out_time,
        rating=value.rating,
        review_count=value.review_count,
        superhost=value.superhost,
        create_time=timestamp(value.created_at),
        update_time=timestamp(value.updated_at),
    )


def _address(address: Address) -> pb.Address:
    return pb.Address(**{field: getattr(address, field) for field in _ADDRESS_FIELDS})


def _money_message(value: Money | None) -> MoneyMessage | None:
    return None if value is None else money_message(value.amount_minor, value.currency)
