"""Points on Earth and how far apart they are."""

import math
from dataclasses import dataclass
from typing import Final

EARTH_KM: Final = 6371.0087714
"""The mean radius that Elasticsearch measures with, so that both stores draw the same circle."""


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees north and east (WGS 84)."""

    lat: float
    lng: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somewhere to look for a stay; a bare point has no name."""

    point: Point
    name: str = ""
    country_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A circle on the ground."""

    centre: Point
    radius_km: float

    def boxes(self) -> tuple["Box", "Box"]:
        """Return two boxes that together cover the circle.

        The second is empty unless the circle crosses the 180th meridian.
        """
        angle = self.radius_km / EARTH_KM
        spread = math.degrees(angle) * (1 + 1e-9) + 1e-6
        south, north = self.centre.lat - spread, self.centre.lat + spread
        if south <= -90 or north >= 90:  # a pole is inside: every longitude
            return Box(south, -180.0, north, 180.0), Box.nothing()
        reach = math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(self.centre.lat))))
        width = math.degrees(reach) * (1 + 1e-9) + 1e-6
        west, east = self.centre.lng - width, self.centre.lng + width
        if west < -180:
            return Box(south, west + 360, north, 180.0), Box(south, -180.0, north, east)
        if east > 180:
            return Box(south, west, north, 180.0), Box(south, -180.0, north, east - 360)
        return Box(south, west, north, east), Box.nothing()


@dataclass(frozen=True, slots=True)
class Box:
    """South-west and north-east corners, edges included."""

    south: float
    west: float
    north: float
    east: float

    @classmethod
    def nothing(cls) -> "Box":
        """Return a box that no point lies in."""
        return cls(91.0, 181.0, 91.0, 181.0)


def distance_km(a: Point, b: Point) -> float:
    """Return the distance over the ground, by the haversine formula."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = math.sin((lat_b - lat_a) / 2)
    half_lng = math.sin(math.radians(b.lng - a.lng) / 2)
    h = half_lat**2 + math.cos(lat_a) * math.cos(lat_b) * half_lng**2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, h)))
