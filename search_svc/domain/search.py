"""What a guest asks for, checked and normalised."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from mesh.errors import Invalid
from pricing import exponent
from search_svc.domain.listing import PropertyType
from search_svc.domain.place import Area, Place, Point
from search_svc.domain.stay import Stay, stay_of

DEFAULT_RADIUS_KM: Final = 50.0
DEFAULT_PAGE_SIZE: Final = 20


class PlaceRequired(Invalid):
    """A search is around a place's name or around a point: one of them."""

    reason = "PLACE_REQUIRED"


class PriceBoundsReversed(Invalid):
    """The lowest price is above the highest."""

    reason = "PRICE_BOUNDS_REVERSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a listing must have; a zero or None asks for nothing."""

    guests: int = 1
    amenities: tuple[str, ...] = ()
    """All of them, sorted."""
    property_types: tuple[PropertyType, ...] = ()
    """Any of them, sorted."""
    instant_book: bool | None = None
    superhost: bool | None = None
    min_bedrooms: int = 0
    min_beds: int = 0
    min_bathrooms: float = 0.0
    min_rating: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBounds:
    """Bounds in whole units of the listing's own currency; 0 is no bound."""

    lowest: int = 0
    highest: int = 0

    def admit(self, amount_minor: int, currency: str) -> bool:
        """Return whether an amount lies within, its edges included."""
        scale = 10 ** exponent(currency)
        above = amount_minor >= self.lowest * scale
        return above and (not self.highest or amount_minor <= self.highest * scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A search as it was asked, before anything is checked."""

    location: str = ""
    lat: float | None = None
    lng: float | None = None
    radius_km: float = 0.0
    check_in: str = ""
    check_out: str = ""
    filters: Filters = Filters()
    prices: PriceBounds = PriceBounds()
    page_size: int = 0
    page_token: str = ""

    def fingerprint(self) -> str:
        """Return a name for what is searched, whatever page of it is asked for."""
        return digest({**asdict(self), "page_size": 0, "page_token": ""})

    def point(self) -> Place | None:
        """Return the point to search around, or None when a name must be looked up.

        Raise PlaceRequired unless there is exactly one of the two, whole.
        """
        named, pointed = bool(self.location.strip()), (self.lat, self.lng) != (None, None)
        if named == pointed:
            raise PlaceRequired(
                "say where: a location or a point, one of them",
                violations=[("location", "either this, or lat and lng")],
            )
        if named:
            return None
        if self.lat is None or self.lng is None:
            missing = "lat" if self.lat is None else "lng"
            raise PlaceRequired("a point has two coordinates", violations=[(missing, "is missing")])
        return Place(point=Point(self.lat, self.lng))

    def stay(self, now: datetime) -> Stay | None:
        """Return the stay that is asked for, None without dates; raise what is wrong with it."""
        return stay_of(self.check_in, self.check_out, self.filters.guests, now)

    def check_prices(self) -> None:
        """Raise PriceBoundsReversed when no price can lie within the bounds."""
        if 0 < self.prices.highest < self.prices.lowest:
            raise PriceBoundsReversed(
                "min_price is above max_price",
                violations=[("max_price", "must not be below min_price")],
            )

    def criteria(self, place: Place) -> "Criteria":
        """Return what listings are chosen by, around a place."""
        area = Area(centre=place.point, radius_km=self.radius_km or DEFAULT_RADIUS_KM)
        return Criteria(area=area, filters=self.filters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What makes a listing a candidate, whatever the dates: the part of a search that is cached."""

    area: Area
    filters: Filters

    def fingerprint(self) -> str:
        """Return a name for it."""
        return digest(asdict(self))


def amenities_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the amenities in texts such as "wifi,kitchen", each once, sorted."""
    return tuple(sorted({name for text in texts for name in text.split(",") if name}))


def digest(value: object) -> str:
    """Return a short name for a value of plain data."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]
