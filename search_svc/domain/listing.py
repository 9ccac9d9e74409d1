"""A listing as search knows it: what is filtered by, what is shown, what a stay is priced with."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from search_svc.domain.place import Point


class PropertyType(StrEnum):
    """What kind of home it is."""

    UNSPECIFIED = ""
    APARTMENT = "apartment"
    HOUSE = "house"
    VILLA = "villa"
    ROOM = "room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One version of a listing. `active`: guests may find it.

    `point` is the steady point near the home that guests are shown. Search knows no other: a
    filter on the exact one could be used to find it out.
    """

    listing_id: str
    version: int
    active: bool
    title: str
    property_type: PropertyType
    city: str
    state: str
    country_code: str
    point: Point
    max_guests: int
    bedrooms: int | None
    beds: int | None
    bathrooms: float | None
    amenities: tuple[str, ...]
    instant_book: bool
    superhost: bool
    rating: float
    review_count: int
    currency: str
    base_price_minor: int
    weekend_price_minor: int | None
    cleaning_fee_minor: int
    min_nights: int
    max_nights: int
    rank: int


class Card(NamedTuple):
    """What a search result shows of a listing; also a candidate, in order of rank and id.

    A tuple of plain values, because a search reads hundreds from the cache to show twenty.
    """

    listing_id: str
    rank: int
    title: str
    city: str
    country_code: str
    property_type: str
    lat: float
    lng: float
    max_guests: int
    bedrooms: int | None
    beds: int | None
    bathrooms: float | None
    instant_book: bool
    superhost: bool
    rating: float
    review_count: int
    currency: str
    base_price_minor: int

    @property
    def position(self) -> "Position":
        """Return where it stands among all listings."""
        return Position(self.rank, self.listing_id)

    @property
    def point(self) -> Point:
        """Return the point near the home that guests are shown."""
        return Point(self.lat, self.lng)


class Position(NamedTuple):
    """A place in the order of results: highest rank first, then by id."""

    rank: int
    listing_id: str

    def before(self, other: "Position") -> bool:
        """Return whether it comes strictly before `other`."""
        return (-self.rank, self.listing_id) < (-other.rank, other.listing_id)
