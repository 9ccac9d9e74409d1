"""Where a home is: its address, its exact point, and the point that guests are shown."""

import math
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final
from zoneinfo import available_timezones

import tzfpy

_METRES_PER_DEGREE: Final = 111_320.0
_NEAREST_METRES: Final = 300.0
_FARTHEST_METRES: Final = 500.0


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees north and east (WGS 84)."""

    lat: float
    lng: float

    @property
    def on_earth(self) -> bool:
        """Whether there is such a point; NaN is not one."""
        return -90 <= self.lat <= 90 and -180 <= self.lng <= 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the mail goes. `street` and `postal_code` are for the host and confirmed guests."""

    FIELDS: ClassVar[frozenset[str]] = frozenset(
        {"street", "city", "state", "country_code", "postal_code"}
    )

    street: str = ""
    city: str = ""
    state: str = ""
    country_code: str = ""
    postal_code: str = ""

    @property
    def public(self) -> "Address":
        """Return what anybody may see."""
        return Address(city=self.city, state=self.state, country_code=self.country_code)


NOWHERE: Final = Address()


def shown_near(point: Point, entropy: bytes) -> Point:
    """Return a point 300 to 500 m away, in a direction and at a distance drawn from `entropy`.

    It is drawn once for a place and kept: a new draw for each viewer could be averaged away, and
    one computed from the listing's id could be computed back. `entropy` is 8 bytes or more.
    """
    bearing = int.from_bytes(entropy[:4]) / 2**32 * math.tau
    spread = int.from_bytes(entropy[4:8]) / 2**32
    metres = _NEAREST_METRES + spread * (_FARTHEST_METRES - _NEAREST_METRES)
    # Near a pole a metre is many degrees of longitude; the floor keeps that finite.
    per_degree_lng = _METRES_PER_DEGREE * max(math.cos(math.radians(point.lat)), 0.01)
    lat = point.lat + metres * math.cos(bearing) / _METRES_PER_DEGREE
    lng = point.lng + metres * math.sin(bearing) / per_degree_lng
    return Point(lat=round(max(-90.0, min(90.0, lat)), 6), lng=round((lng + 180) % 360 - 180, 6))


def time_zone_at(point: Point) -> str:
    """Return the IANA time zone at a point; empty where the map has none."""
    return tzfpy.get_tz(point.lng, point.lat)


def known_time_zone(name: str) -> bool:
    """Tell whether `name` is an IANA time zone."""
    return name in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
