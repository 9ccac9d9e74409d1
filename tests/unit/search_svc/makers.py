"""Listings and candidates for tests: a usual one, with what a test wants of its own."""

from dataclasses import replace
from typing import Any

from mesh.ids import new_id
from search_svc.domain.listing import Card, Listing, PropertyType
from search_svc.domain.place import Point

USUAL = Listing(
    listing_id="",
    version=1,
    active=True,
    title="Loft by the river",
    property_type=PropertyType.APARTMENT,
    city="Lisbon",
    state="",
    country_code="PT",
    point=Point(38.7223, -9.1393),
    max_guests=4,
    bedrooms=2,
    beds=3,
    bathrooms=1.5,
    amenities=("kitchen", "wifi"),
    instant_book=True,
    superhost=False,
    rating=4.8,
    review_count=12,
    currency="EUR",
    base_price_minor=10000,
    weekend_price_minor=None,
    cleaning_fee_minor=3000,
    min_nights=1,
    max_nights=365,
    rank=600_000,
)


def listing_id(number: int = 0, *, partition: int = 0) -> str:
    """Return an id in a partition, the same for the same number."""
    return new_id(
        "lst", now_ms=1_000_000 + number, bucket=partition << 8, entropy=number.to_bytes(9)
    )


def listing(number: int = 0, *, partition: int = 0, **own: Any) -> Listing:
    """Return a usual listing with changes."""
    return replace(USUAL, **{"listing_id": listing_id(number, partition=partition), **own})


def card(number: int = 0, *, partition: int = 0, **own: Any) -> Card:
    """Return a candidate."""
    whole = listing(number, partition=partition)
    plain = {name: getattr(whole, name) for name in Card._fields if name not in ("lat", "lng")}
    return Card(**{**plain, "lat": whole.point.lat, "lng": whole.point.lng} | own)
