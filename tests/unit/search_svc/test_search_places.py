"""Places are found by the names that people type."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_svc.clients import gazetteer
from search_svc.domain.cells import cells_at, cells_of
from search_svc.domain.gazetteer import Gazetteer, PlaceNotFound, plain
from search_svc.domain.place import Area, Box, Point, distance_km


@pytest.fixture(scope="module")
def places() -> Gazetteer:
    return gazetteer.load()


@pytest.mark.parametrize(
    ("text", "name", "country", "near"),
    [
        ("Singapore", "Singapore", "SG", (1.29, 103.85)),
        ("singapore", "Singapore", "SG", (1.29, 103.85)),
        ("Albany, NY", "Albany", "US", (42.65, -73.76)),
        ("albany, new york", "Albany", "US", (42.65, -73.76)),
        ("Albany, NY, USA", "Albany", "US", (42.65, -73.76)),
        ("Albany", "Albany", "US", (42.65, -73.76)),
        ("Albany, GA", "Albany", "US", (31.58, -84.16)),
        ("Albany OR", "Albany", "US", (44.64, -123.11)),
        ("Albany, Australia", "Albany", "AU", (-35.03, 117.88)),
        ("Albany, Western Australia", "Albany", "AU", (-35.03, 117.88)),
        ("San Francisco", "San Francisco", "US", (37.77, -122.42)),
        ("  san   FRANCISCO ", "San Francisco", "US", (37.77, -122.42)),
        ("New York", "New York City", "US", (40.71, -74.0)),
        ("New York, NY", "New York City", "US", (40.71, -74.0)),
        ("Washington, D.C.", "Washington", "US", (38.9, -77.04)),
        ("London", "London", "GB", (51.51, -0.13)),
        ("London, UK", "London", "GB", (51.51, -0.13)),
        ("London, Ontario", "London", "CA", (42.98, -81.23)),
        ("sao paulo, brazil", "São Paulo", "BR", (-23.55, -46.64)),
        ("Lisbon", "Lisbon", "PT", (38.72, -9.13)),
        ("Lisboa", "Lisbon", "PT", (38.72, -9.13)),
        ("München", "Munich", "DE", (48.14, 11.58)),
        ("東京", "Tokyo", "JP", (35.69, 139.69)),
        ("Reykjavik", "Reykjavík", "IS", (64.14, -21.9)),
        ("Paris", "Paris", "FR", (48.85, 2.35)),
        ("Paris Texas", "Paris", "US", (33.66, -95.56)),
    ],
)
def test_a_name_is_understood(
    places: Gazetteer, text: str, name: str, country: str, near: tuple[float, float]
) -> None:
    place = places.find(text)
    assert (plain(place.name)[: len(plain(name))], place.country_code) == (plain(name), country)
    assert distance_km(place.point, Point(*near)) < 15


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Nowhere-on-Sea", None),
        ("Singapor", "Singapore"),
        ("Albany, Mars", "Albany, NY, US"),
        ("???", None),
        (",", None),
    ],
)
def test_an_unknown_place_is_an_error_with_a_hint(
    places: Gazetteer, text: str, hint: str | None
) -> None:
    with pytest.raises(PlaceNotFound) as caught:
        places.find(text)
    assert caught.value.metadata["hint"]
    if hint:
        assert hint in caught.value.metadata["hint"]


def inside(box: Box, point: Point) -> bool:
    return box.south <= point.lat <= box.north and box.west <= point.lng <= box.east


@given(
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.floats(0.1, 500),
    st.floats(0, math.tau),
    st.floats(0, 1),
)
def test_the_boxes_hold_the_whole_circle(
    lat: float, lng: float, radius: float, bearing: float, share: float
) -> None:
    area = Area(centre=Point(lat, lng), radius_km=radius)
    point = _towards(area.centre, bearing, radius * share)
    if distance_km(area.centre, point) <= radius:
        assert any(inside(box, point) for box in area.boxes())
        cells = cells_of(area)
        assert set(cells_at(point)) & set(cells), "what is cached around it is outdated"
        assert len(cells) <= 120


def _towards(start: Point, bearing: float, km: float) -> Point:
    """Return the point `km` away (the direct problem on a sphere)."""
    lat, angle = math.radians(start.lat), km / 6371.0087714
    sine = math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(bearing)
    to_lat = math.asin(max(-1.0, min(1.0, sine)))
    turn = math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(lat),
        math.cos(angle) - math.sin(lat) * math.sin(to_lat),
    )
    lng = (start.lng + math.degrees(turn) + 180) % 360 - 180
    return Point(math.degrees(to_lat), lng)


def test_distances_are_those_on_the_ground() -> None:
    assert distance_km(Point(52.52, 13.405), Point(48.8566, 2.3522)) == pytest.approx(878, abs=2)
    assert distance_km(Point(0, 179.9), Point(0, -179.9)) == pytest.approx(22.24, abs=0.1)
    assert distance_km(Point(0, 0), Point(0, 180)) == pytest.approx(20015, abs=1)
