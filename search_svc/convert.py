"""Protobuf to domain and back."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from google.protobuf.message import DecodeError
from google.type.latlng_pb2 import LatLng
from google.type.money_pb2 import Money
from staymesh.booking.v1 import listings_pb2 as booking
from staymesh.events.v1 import events_pb2 as events
from staymesh.search.v1 import search_pb2 as pb

from mesh.errors import Invalid
from mesh.ids import parse
from pricing import UnknownCurrency, exponent, from_units, to_units
from search_svc.domain.calendar import CalendarChange, NightChange
from search_svc.domain.listing import Listing, PropertyType
from search_svc.domain.page import Page, Result
from search_svc.domain.place import Place, Point
from search_svc.domain.rank import Signals, rank_of
from search_svc.domain.search import Filters, PriceBounds, Request, amenities_of
from search_svc.domain.shard import Found
from search_svc.domain.stay import DatesIncomplete, Stay, StayPrice

_PROPERTY_TYPES: Final = {
    booking.PropertyType.Value(f"PROPERTY_TYPE_{kind.name}"): kind for kind in PropertyType
}
_PROPERTY_TYPE_NUMBERS: Final = {kind: number for number, kind in _PROPERTY_TYPES.items()}
_DEFAULT_MAX_NIGHTS: Final = 365


class NotUnderstood(Invalid):
    """Not an event of ours."""

    reason = "EVENT_NOT_UNDERSTOOD"


def news(payload: bytes) -> Listing | CalendarChange | None:
    """Return what an event tells; None when it does not concern search. Raise Invalid."""
    event = events.Event()
    try:
        event.ParseFromString(payload)
    except DecodeError as error:
        raise NotUnderstood(str(error)) from error
    match event.WhichOneof("payload"):
        case "listing_changed":
            return listing(event.listing_changed)
        case "calendar_changed":
            return calendar_change(event.calendar_changed)
    return None


def calendar_change(message: events.CalendarChanged) -> CalendarChange:
    """Return a change of a calendar; raise InvalidId."""
    parse(message.listing_id, "lst")
    return CalendarChange(
        listing_id=message.listing_id,
        version=message.version,
        nights=tuple(NightChange(n.day, n.available, n.price_minor) for n in message.nights),
    )


def listing(message: events.ListingChanged) -> Listing:
    """Return a version of a listing; raise InvalidId, UnknownCurrency or InexactMoney.

    It is active when guests may find it and it has what a result must show: a point, a price.
    """
    said = message.listing
    parse(said.listing_id, "lst")
    currency = said.base_price.currency_code
    if currency:
        exponent(currency)
    base = _minor(said.base_price) if currency else 0
    published = said.status == booking.LISTING_STATUS_ACTIVE
    return Listing(
        listing_id=said.listing_id,
        version=message.version,
        active=published and said.HasField("location") and base > 0,
        title=_text(said.title),
        property_type=_PROPERTY_TYPES[said.property_type],
        city=_text(said.address.city),
        state=_text(said.address.state),
        country_code=_text(said.address.country_code),
        point=Point(said.location.latitude, said.location.longitude),
        max_guests=said.max_guests,
        bedrooms=said.bedrooms if said.HasField("bedrooms") else None,
        beds=said.beds if said.HasField("beds") else None,
        bathrooms=said.bathrooms if said.HasField("bathrooms") else None,
        amenities=tuple(sorted(set(said.amenities))),
        instant_book=said.instant_book,
        superhost=said.superhost,
        rating=said.rating,
        review_count=said.review_count,
        currency=currency,
        base_price_minor=base,
        weekend_price_minor=_minor(said.weekend_price) if said.HasField("weekend_price") else None,
        cleaning_fee_minor=_minor(said.cleaning_fee) if said.HasField("cleaning_fee") else 0,
        min_nights=said.min_nights or 1,
        max_nights=said.max_nights or _DEFAULT_MAX_NIGHTS,
        rank=rank_of(_signals(said)),
    )


def _signals(said: booking.Listing) -> Signals:
    rooms = ("bedrooms", "beds", "bathrooms")
    return Signals(
        rating=said.rating,
        review_count=said.review_count,
        superhost=said.superhost,
        instant_book=said.instant_book,
        title_length=len(said.title),
        description_length=len(said.description),
        amenity_count=len(said.amenities),
        rooms_said=sum(said.HasField(room) for room in rooms),  # type: ignore[arg-type]
    )


def _text(text: str) -> str:
    return text.replace("\0", "")  # PostgreSQL has no such character


def _minor(amount: Money) -> int:
    return from_units(amount.units, amount.nanos, amount.currency_code)


def request(message: pb.SearchListingsRequest) -> Request:
    """Return what is searched for."""
    return Request(
        location=message.location,
        lat=message.lat if message.HasField("lat") else None,
        lng=message.lng if message.HasField("lng") else None,
        radius_km=message.radius_km,
        check_in=message.check_in,
        check_out=message.check_out,
        filters=_filters(message),
        prices=PriceBounds(lowest=message.min_price, highest=message.max_price),
        page_size=message.page_size,
        page_token=message.page_token,
    )


def _filters(message: pb.SearchListingsRequest) -> Filters:
    kinds = {_PROPERTY_TYPES[number] for number in message.property_types}
    return Filters(
        guests=message.guests or 1,
        amenities=amenities_of(message.amenities),
        property_types=tuple(sorted(kinds - {PropertyType.UNSPECIFIED})),
        instant_book=message.instant_book if message.HasField("instant_book") else None,
        superhost=message.superhost if message.HasField("superhost") else None,
        min_bedrooms=message.min_bedrooms,
        min_beds=message.min_beds,
        min_bathrooms=message.min_bathrooms,
        min_rating=message.min_rating,
    )


def response(page: Page) -> pb.SearchListingsResponse:
    """Return a page of results."""
    return pb.SearchListingsResponse(
        results=[_result(result) for result in page.results],
        next_page_token=page.next_token,
        place=_place(page.place),
        degraded=bool(page.missing),
        missing=page.missing,
    )


def _place(place: Place) -> pb.Place:
    return pb.Place(name=place.name, country_code=place.country_code, location=_latlng(place.point))


def _result(result: Result) -> pb.SearchResult:
    card = result.card
    message = pb.SearchResult(
        listing_id=card.listing_id,
        title=card.title,
        city=card.city,
        country_code=card.country_code,
        property_type=_PROPERTY_TYPE_NUMBERS[PropertyType(card.property_type)],
        location=_latlng(card.point),
        distance_km=result.distance_km,
        max_guests=card.max_guests,
        bedrooms=card.bedrooms,
        beds=card.beds,
        bathrooms=card.bathrooms,
        instant_book=card.instant_book,
        rating=card.rating,
        review_count=card.review_count,
        superhost=card.superhost,
        price_per_night=_money(result.night_minor, result.currency),
    )
    if result.total_minor is not None:
        message.total.CopyFrom(_money(result.total_minor, result.currency))
    return message


def _latlng(point: Point) -> LatLng:
    return LatLng(latitude=point.lat, longitude=point.lng)


def _money(amount_minor: int, currency: str) -> Money:
    units, nanos = to_units(amount_minor, currency)
    return Money(currency_code=currency, units=units, nanos=nanos)


def availability_request(stay: Stay, listing_ids: Sequence[str]) -> pb.CheckAvailabilityRequest:
    """Return the question to a shard."""
    return pb.CheckAvailabilityRequest(
        check_in=stay.check_in.isoformat(),
        check_out=stay.check_out.isoformat(),
        guests=stay.guests,
        listing_ids=listing_ids,
    )


def stay(message: pb.CheckAvailabilityRequest) -> Stay:
    """Return the stay that a shard is asked about; raise DatesIncomplete for no dates."""
    try:
        check_in, check_out = map(date.fromisoformat, (message.check_in, message.check_out))
    except ValueError as error:
        raise DatesIncomplete("not dates of the calendar") from error
    return Stay(check_in=check_in, check_out=check_out, guests=message.guests)


def availability(found: Sequence[Found]) -> pb.CheckAvailabilityResponse:
    """Return a shard's answer."""
    return pb.CheckAvailabilityResponse(
        available=[
            pb.AvailableListing(
                index=one.nth,
                total_minor=one.price.total_minor,
                accommodation_minor=one.price.accommodation_minor,
                currency_code=one.price.currency,
            )
            for one in found
        ]
    )


def prices(
    message: pb.CheckAvailabilityResponse, listing_ids: Sequence[str]
) -> dict[str, StayPrice]:
    """Return the listings that a shard says are free, with their prices."""
    return {
        listing_ids[one.index]: StayPrice(
            currency=one.currency_code,
            accommodation_minor=one.accommodation_minor,
            total_minor=one.total_minor,
        )
        for one in message.available
    }


__all__ = [
    "NotUnderstood",
    "UnknownCurrency",
    "availability",
    "availability_request",
    "news",
    "prices",
    "request",
    "response",
    "stay",
]
