"""Where a home is shown, and what its host's text may carry."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_svc.domain.paging import (
    PageTokenInvalid,
    StayCursor,
    listing_after,
    listing_token,
)
from booking_svc.domain.place import Point, shown_near, time_zone_at
from booking_svc.domain.text import clean_html, clean_line
from tests.unit.booking_svc.homes import BOOKING, LISTING, STAY


def metres(a: Point, b: Point) -> float:
    north = math.radians(b.lat - a.lat)
    east = math.radians((b.lng - a.lng + 180) % 360 - 180) * math.cos(math.radians(a.lat))
    return 6_371_000 * math.hypot(north, east)


@given(st.floats(-85, 85), st.floats(-180, 180), st.binary(min_size=8, max_size=8))
def test_the_shown_point_is_near_but_never_the_place(
    lat: float, lng: float, entropy: bytes
) -> None:
    place = Point(lat, lng)
    shown = shown_near(place, entropy)
    assert shown.on_earth
    assert 295 <= metres(place, shown) <= 505
    assert shown == shown_near(place, entropy)


def test_a_point_has_a_time_zone() -> None:
    assert time_zone_at(Point(42.65, -73.75)) == "America/New_York"
    assert time_zone_at(Point(1.35, 103.8)) == "Asia/Singapore"


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("<b>big</b> <i>sunny</i><br>room", "<b>big</b> <i>sunny</i><br>room"),
        ('<p onclick="x()">hi</p>', "<p>hi</p>"),
        ("<script>alert(1)</script>ok", "ok"),
        ('<a href="javascript:x">link</a>', "link"),
        ("<ul><li>pool</li></ul>", "<ul><li>pool</li></ul>"),
        ('<img src=x onerror="x()">view', "view"),
        ("a\u202eb\x00c", "abc"),
    ],
)
def test_a_description_keeps_the_allowed_tags_alone(given_text: str, kept: str) -> None:
    assert clean_html(given_text) == kept
    assert clean_html(kept) == kept


def test_a_title_is_one_clean_line() -> None:
    assert clean_line("  A\n room\t with\u202e a\x07 view ") == "A room with a view"


def test_a_page_token_comes_back_as_it_was() -> None:
    cursor = StayCursor(STAY.check_in, BOOKING)
    assert StayCursor.of(cursor.token) == cursor
    assert StayCursor.of("") is None
    assert listing_after(listing_token(LISTING)) == LISTING
    assert listing_after("") is None


@pytest.mark.parametrize("token", ["x", "é", "AAAA", "fHw", "MjAyNi0wNy0wNnxh", "////", "a|b"])
def test_a_made_up_page_token_is_refused(token: str) -> None:
    if token == "MjAyNi0wNy0wNnxh":  # a date and any text is a place to go on from
        assert StayCursor.of(token) is not None
        return
    with pytest.raises(PageTokenInvalid):
        StayCursor.of(token)


@given(st.text(max_size=40))
def test_any_text_is_a_token_or_refused(token: str) -> None:
    for read in (StayCursor.of, listing_after):
        try:
            read(token)
        except PageTokenInvalid:
            continue
