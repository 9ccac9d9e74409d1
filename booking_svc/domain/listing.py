"""A home to stay in: what its host says of it, and what the service adds."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from booking_svc.domain.cancellation import CancellationPolicy
from booking_svc.domain.money import Money
from booking_svc.domain.place import NOWHERE, Address, Point, known_time_zone, shown_near
from booking_svc.domain.stay import StayRules
from mesh.errors import Conflict, FailedPrecondition, Invalid, NotFound


class ListingStatus(StrEnum):
    """Who can see and book a listing."""

    DRAFT = "draft"
    ACTIVE = "active"
    INACTIVE = "inactive"
    SUSPENDED = "suspended"


class PropertyType(StrEnum):
    """What kind of home it is; drafts may leave it open."""

    UNSPECIFIED = ""
    APARTMENT = "apartment"
    HOUSE = "house"
    VILLA = "villa"
    ROOM = "room"


class ListingNotFound(NotFound):
    """There is no such listing, or not for this caller."""

    reason = "LISTING_NOT_FOUND"


class ListingInvalid(Invalid):
    """What the host says of the listing breaks a rule; the violations name the fields."""

    reason = "LISTING_INVALID"


class ListingIncomplete(FailedPrecondition):
    """The listing lacks what a published one must have; the violations name the fields."""

    reason = "LISTING_INCOMPLETE"


class ListingNotPublishable(FailedPrecondition):
    """A suspended listing cannot be published by its host."""

    reason = "LISTING_SUSPENDED"


class EtagMismatch(Conflict):
    """The listing has changed since it was read; read it again and decide again."""

    reason = "ETAG_MISMATCH"


class StaysAhead(FailedPrecondition):
    """The listing still has stays to come."""

    reason = "STAYS_AHEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a host says of a home: exactly the fields a host may write."""

    title: str = ""
    description: str = ""
    property_type: PropertyType = PropertyType.UNSPECIFIED
    address: Address = NOWHERE
    location: Point | None = None
    time_zone: str = ""
    max_guests: int = 0
    bedrooms: int | None = None
    beds: int | None = None
    bathrooms: float | None = None
    amenities: tuple[str, ...] = ()
    base_price: Money | None = None
    weekend_price: Money | None = None
    cleaning_fee: Money | None = None
    min_nights: int = 1
    max_nights: int = 365
    instant_book: bool = False
    cancellation_policy: CancellationPolicy = CancellationPolicy.FLEXIBLE
    check_in_time: str = "15:00"
    check_out_time: str = "11:00"

    @property
    def currency(self) -> str:
        """Return the one currency of all its amounts; empty while it has none."""
        prices = (self.base_price, self.weekend_price, self.cleaning_fee)
        return next((price.currency for price in prices if price is not None), "")


UNSAID: Final = Details()
"""What holds where a host says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A home with what the service knows of it. `version` is its etag."""

    listing_id: str
    host_id: str
    status: ListingStatus
    details: Details
    created_at: datetime
    updated_at: datetime
    version: int = 1
    public_location: Point | None = None
    """The steady point near the home that everybody but the host is shown."""
    rating: float = 0.0
    review_count: int = 0
    superhost: bool = False

    @property
    def etag(self) -> str:
        """Return what changes with every change of the listing."""
        return str(self.version)

    @property
    def stay_rules(self) -> StayRules:
        """Return what the listing asks of a stay."""
        details = self.details
        return StayRules(
            min_nights=details.min_nights,
            max_nights=details.max_nights,
            max_guests=details.max_guests,
        )


def visible(listing: Listing | None, viewer_id: str | None) -> Listing:
    """Return the listing if the viewer may see it: an active one, or one's own.

    Raise ListingNotFound, the same for one that is not there and one that is not for them.
    """
    if listing is not None and (
        listing.status is ListingStatus.ACTIVE or listing.host_id == viewer_id
    ):
        return listing
    raise ListingNotFound("no such listing")


def bookable(listing: Listing | None) -> Listing:
    """Return the listing if it is on the market; raise ListingNotFound otherwise, to everybody."""
    return visible(listing, None)


def owned(listing: Listing | None, host_id: str) -> Listing:
    """Return the listing if it is the host's own; raise ListingNotFound otherwise.

    A stranger's published listing is no secret, but whether a hidden one exists is.
    """
    if listing is None or listing.host_id != host_id:
        raise ListingNotFound("you have no such listing")
    return listing


EDITABLE: Final[frozenset[str]] = frozenset(field.name for field in fields(Details))
"""The paths of an update mask, together with `address.<field>`."""


def edited(
    listing: Listing, given: Details, paths: Collection[str], now: datetime, entropy: bytes
) -> Listing:
    """Return the next version of the listing, with the fields named by `paths` from `given`.

    A home that moves takes the time zone of its new place, and a new point from `entropy` (8 bytes)
    to be shown at.

    Raise ListingInvalid for a path a host may not write or a value that breaks a rule, and
    ListingIncomplete when an active listing would lose what a published one must have.
    """
    details = listing.details
    for path in {*paths, "time_zone"} if "location" in paths else paths:
        details = _set(details, given, path)
    check_details(details)
    if listing.details.currency not in ("", details.currency):
        # Prices of single nights are kept in minor units of it.
        raise ListingInvalid(
            "the currency of a listing cannot change",
            violations=[("listing.base_price", f"must stay in {listing.details.currency}")],
        )
    if listing.status is ListingStatus.ACTIVE:
        check_complete(details)
    moved = details.location != listing.details.location
    return replace(
        listing,
        details=details,
        public_location=public_location(details, entropy) if moved else listing.public_location,
        version=listing.version + 1,
        updated_at=now,
    )


def public_location(details: Details, entropy: bytes) -> Point | None:
    """Return a point near the home to show to guests; None while it has no place."""
    return None if details.location is None else shown_near(details.location, entropy)


def _set(details: Details, given: Details, path: str) -> Details:
    name, _, inner = path.partition(".")
    if path in EDITABLE:
        return replace(details, **{name: getattr(given, name)})
    if name == "address" and inner in Address.FIELDS:
        address = replace(details.address, **{inner: getattr(given.address, inner)})
        return replace(details, address=address)
    raise ListingInvalid(
        f"{path} is not a field that you can set", violations=[("update_mask", path)]
    )


def check_etag(listing: Listing, etag: str) -> None:
    """Raise EtagMismatch when `etag` is given and is not the listing's."""
    if etag and etag != listing.etag:
        raise EtagMismatch("the listing has changed", metadata={"etag": listing.etag})


_PUBLISH: Final[Mapping[ListingStatus, ListingStatus]] = {
    ListingStatus.DRAFT: ListingStatus.ACTIVE,
    ListingStatus.INACTIVE: ListingStatus.ACTIVE,
    ListingStatus.ACTIVE: ListingStatus.ACTIVE,
}


def published(listing: Listing, now: datetime) -> Listing:
    """Return the listing on the market; the same one when it is there already.

    Raise ListingIncomplete with what is missing, ListingNotPublishable when it is suspended.
    """
    status = _PUBLISH.get(listing.status)
    if status is None:
        raise ListingNotPublishable("the listing is suspended")
    if status is listing.status:
        return listing
    check_complete(listing.details)
    return replace(listing, status=status, version=listing.version + 1, updated_at=now)


def withdrawn(listing: Listing, now: datetime) -> Listing:
    """Return the listing off the market."""
    return replace(
        listing, status=ListingStatus.INACTIVE, version=listing.version + 1, updated_at=now
    )


def check_complete(details: Details) -> None:
    """Raise ListingIncomplete when a guest could not be shown, or could not book, such a home."""
    missing = [(field, "is needed to publish") for field in _missing(details)]
    if missing:
        raise ListingIncomplete(
            "needed to publish: " + ", ".join(field for field, _ in missing), violations=missing
        )


def _missing(details: Details) -> Iterator[str]:
    base = details.base_price
    present = {
        "title": bool(details.title.strip()),
        "property_type": details.property_type is not PropertyType.UNSPECIFIED,
        "location": details.location is not None,
        "address.city": bool(details.address.city),
        "address.country_code": bool(details.address.country_code),
        "time_zone": bool(details.time_zone),
        "base_price": base is not None and base.amount_minor > 0,
        "max_guests": details.max_guests > 0,
    }
    return (field for field, there in present.items() if not there)


def check_details(details: Details) -> None:
    """Raise ListingInvalid when what is there contradicts itself; what is missing is no fault."""
    violations = list(_contradictions(details))
    if violations:
        raise ListingInvalid(
            f"{violations[0][0]} {violations[0][1]}",
            violations=[(f"listing.{field}", text) for field, text in violations],
        )


def _contradictions(details: Details) -> Iterator[tuple[str, str]]:
    for name in ("base_price", "weekend_price", "cleaning_fee"):
        price: Money | None = getattr(details, name)
        if price is None:
            continue
        if price.amount_minor < 0:
            yield name, "must not be negative"
        if price.currency != details.currency:
            yield name, f"must be in {details.currency}, as the other prices"
    if details.weekend_price is not None and details.weekend_price.amount_minor == 0:
        yield "weekend_price", "must be above zero; leave it out for the base price"
    if details.min_nights > details.max_nights:
        yield "min_nights", "must not be more than max_nights"
    if details.location is not None and not details.location.on_earth:
        yield "location", "is not a point on Earth"
    if details.time_zone and not known_time_zone(details.time_zone):
        yield "time_zone", "is not an IANA time zone"
