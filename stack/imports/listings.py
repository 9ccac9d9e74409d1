"""listings.csv: one row a listing."""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from google.type import latlng_pb2, money_pb2
from staymesh.accounts.v1 import accounts_pb2
from staymesh.booking.v1 import listings_pb2

from pricing.money import exponent, to_units
from stack.imports import fields
from stack.imports.nights import Nights
from stack.imports.places import CityPlace
from stack.imports.rejects import RejectedRow

FILE = "listings.csv"
T = TypeVar("T")
_HOUSE = ("house", "home", "townhouse", "cottage", "bungalow", "cabin", "chalet", "farm", "barn")
_MAX_NIGHTS = 1125
_MAX_GUESTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A listing as its row says it, and the host's id in the snapshot."""

    source_id: str
    host: accounts_pb2.ImportedUser
    listing: listings_pb2.Listing
    base_minor: int


def point(row: Mapping[str, str]) -> tuple[float, float]:
    """Return latitude and longitude. Raise RejectedRow when they are no place on earth."""
    try:
        lat, lng = float(row["latitude"]), float(row["longitude"])
    except (KeyError, ValueError, TypeError):
        raise RejectedRow("missing_location") from None
    if not (-90 <= lat <= 90 and -180 <= lng <= 180) or (lat == 0 and lng == 0):
        raise RejectedRow("wrong_location")
    return lat, lng


def read_listing(
    row: Mapping[str, str], place: CityPlace, nights: Nights | None, currency: str
) -> Row:
    """Read one row. Raise RejectedRow with the first thing that makes it useless to a guest."""
    source_id = _required(row, "id", "missing_id")
    lat, lng = point(row)
    base = _base_price(row, nights, exponent(currency))
    low, high = _stay_lengths(row)
    listing = listings_pb2.Listing(
        title=_text(_required(row, "name", "missing_name"))[:200],
        description=_text(row.get("description") or "")[:20000],
        property_type=_property_type(row),
        address=listings_pb2.Address(
            city=place.city, state=place.state, country_code=place.country_code
        ),
        location=latlng_pb2.LatLng(latitude=lat, longitude=lng),
        max_guests=_guests(row),
        base_price=_money(base, currency),
        min_nights=low,
        max_nights=high,
        instant_book=_field(row, "instant_bookable", fields.true),
        # The snapshots do not say; moderate is the usual one.
        cancellation_policy=listings_pb2.CANCELLATION_POLICY_MODERATE,
        rating=_rating(row),
        review_count=_field(row, "number_of_reviews", fields.whole) or 0,
        superhost=_field(row, "host_is_superhost", fields.true),
        amenities=_field(row, "amenities", fields.amenities),
    )
    _rooms(row, listing)
    return Row(source_id=source_id, host=_host(row), listing=listing, base_minor=base)


def _host(row: Mapping[str, str]) -> accounts_pb2.ImportedUser:
    return accounts_pb2.ImportedUser(
        source_id=_required(row, "host_id", "missing_host"),
        first_name=_text(row.get("host_name") or "")[:100],
        host=True,
        superhost=_field(row, "host_is_superhost", fields.true),
    )


def _base_price(row: Mapping[str, str], nights: Nights | None, digits: int) -> int:
    """Return the row's price, or where it has none the one that most of its nights have."""
    try:
        price = fields.price_minor(row.get("price") or "", digits)
    except ValueError:
        raise RejectedRow("wrong_price") from None
    if price is None and nights is not None:
        price = nights.usual_price()
    if price is None:
        raise RejectedRow("missing_price")
    if price <= 0:
        raise RejectedRow("price_of_zero")
    return price


def _stay_lengths(row: Mapping[str, str]) -> tuple[int, int]:
    low = _field(row, "minimum_nights", fields.whole) or 1
    high = _field(row, "maximum_nights", fields.whole) or _MAX_NIGHTS
    if low > _MAX_NIGHTS or low > high:
        raise RejectedRow("no_stay_is_allowed")
    return low, min(high, _MAX_NIGHTS)


def _guests(row: Mapping[str, str]) -> int:
    guests = _field(row, "accommodates", fields.whole)
    if not guests:
        raise RejectedRow("no_guests")
    return min(guests, _MAX_GUESTS)


def _rooms(row: Mapping[str, str], listing: listings_pb2.Listing) -> None:
    """Set what the row says of rooms; what it does not say stays absent."""
    bedrooms = _field(row, "bedrooms", fields.whole)
    beds = _field(row, "beds", fields.whole)
    try:
        baths = fields.bathrooms(row.get("bathrooms") or "", row.get("bathrooms_text") or "")
    except (ValueError, ArithmeticError):
        raise RejectedRow("wrong_bathrooms") from None
    if bedrooms is not None:
        listing.bedrooms = min(bedrooms, 100)
    if beds is not None:
        listing.beds = min(beds, 200)
    if baths is not None:
        listing.bathrooms = min(baths, 100.0)


def _rating(row: Mapping[str, str]) -> float:
    text = row.get("review_scores_rating") or ""
    try:
        rating = float(Decimal(text)) if text else 0.0
    except ArithmeticError:
        raise RejectedRow("wrong_rating") from None
    if not 0 <= rating <= 5:
        raise RejectedRow("wrong_rating")
    return rating


def _property_type(row: Mapping[str, str]) -> "listings_pb2.PropertyType.ValueType":
    kind = (row.get("property_type") or "").lower()
    if (row.get("room_type") or "") != "Entire home/apt":
        return listings_pb2.PROPERTY_TYPE_ROOM
    if "villa" in kind:
        return listings_pb2.PROPERTY_TYPE_VILLA
    if any(word in kind.split() for word in _HOUSE):
        return listings_pb2.PROPERTY_TYPE_HOUSE
    return listings_pb2.PROPERTY_TYPE_APARTMENT


def _money(minor: int, currency: str) -> money_pb2.Money:
    units, nanos = to_units(minor, currency)
    return money_pb2.Money(currency_code=currency, units=units, nanos=nanos)


def _required(row: Mapping[str, str], name: str, reason: str) -> str:
    text = (row.get(name) or "").strip()
    if not text:
        raise RejectedRow(reason)
    return text


def _text(text: str) -> str:
    """Undo HTML entities; tags are left for the allow-list of the booking service."""
    return html.unescape(text).replace("\x00", "").strip()


def _field(row: Mapping[str, str], name: str, read: Callable[[str], T]) -> T:
    try:
        return read(row.get(name) or "")
    except ValueError:
        raise RejectedRow(f"wrong_{name}") from None
