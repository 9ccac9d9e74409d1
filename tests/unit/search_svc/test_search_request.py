"""What a guest may ask, and what a nonsensical question is told."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Invalid
from pricing import exponent
from search_svc.domain.days import earliest_today, window_start
from search_svc.domain.nights import WINDOW_DAYS
from search_svc.domain.place import Place, Point
from search_svc.domain.rank import SCALE, Signals, rank_of
from search_svc.domain.search import (
    DEFAULT_RADIUS_KM,
    Filters,
    PlaceRequired,
    PriceBounds,
    PriceBoundsReversed,
    Request,
    amenities_of,
)
from search_svc.domain.stay import (
    DatesIncomplete,
    DatesInThePast,
    DatesReversed,
    DatesTooFar,
    StayPrice,
    stay_of,
)

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


def day(offset: int) -> str:
    return (NOW.date() + timedelta(days=offset)).isoformat()


@pytest.mark.parametrize(
    ("check_in", "check_out", "error"),
    [
        (day(3), "", DatesIncomplete),
        ("", day(3), DatesIncomplete),
        ("2026-02-30", day(3), DatesIncomplete),
        (day(3), day(3), DatesReversed),
        (day(3), day(2), DatesReversed),
        (day(-2), day(2), DatesInThePast),
        (day(3), day(3 + 366), DatesTooFar),
        (day(490), day(502), DatesTooFar),
    ],
)
def test_dates_that_make_no_sense_are_refused(
    check_in: str, check_out: str, error: type[Invalid]
) -> None:
    with pytest.raises(error) as caught:
        stay_of(check_in, check_out, 1, NOW)
    assert caught.value.violations


def test_yesterday_in_utc_is_still_today_somewhere() -> None:
    stay = stay_of(day(-1), day(1), 2, NOW)
    assert stay is not None
    assert (stay.nights, stay.guests) == (2, 2)
    assert stay_of("", "", 2, NOW) is None


@given(
    st.integers(0, 10**6).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    st.integers(0, 501),
    st.integers(1, 9),
)
def test_every_stay_that_is_let_through_lies_in_the_shards_window(
    now: datetime, start: int, nights: int
) -> None:
    check_in = earliest_today(now) + timedelta(days=start)
    check_out = check_in + timedelta(days=nights)
    try:
        stay = stay_of(check_in.isoformat(), check_out.isoformat(), 1, now)
    except DatesTooFar:
        return
    assert stay is not None
    first = window_start(now)
    assert first <= stay.first_day < stay.end_day <= first + WINDOW_DAYS


@pytest.mark.parametrize(
    "request_",
    [
        Request(),
        Request(location="  "),
        Request(lat=1.0),
        Request(lng=1.0),
        Request(location="Lisbon", lat=1.0, lng=1.0),
        Request(location="Lisbon", lat=1.0),
    ],
)
def test_a_search_has_one_place(request_: Request) -> None:
    with pytest.raises(PlaceRequired):
        request_.point()


def test_a_point_is_a_place_and_the_radius_has_a_default() -> None:
    place = Request(lat=0.0, lng=0.0).point()
    assert place == Place(point=Point(0.0, 0.0))
    assert Request().criteria(place).area.radius_km == DEFAULT_RADIUS_KM
    assert Request(radius_km=3).criteria(place).area.radius_km == 3


def test_a_fingerprint_names_the_search_and_not_its_page() -> None:
    one = Request(location="Lisbon", page_size=5)
    assert one.fingerprint() == Request(location="Lisbon", page_token="x").fingerprint()
    others = [
        Request(location="Porto"),
        Request(location="Lisbon", check_in=day(1)),
        Request(location="Lisbon", filters=Filters(guests=2)),
        Request(location="Lisbon", filters=Filters(superhost=False)),
        Request(location="Lisbon", prices=PriceBounds(lowest=1)),
    ]
    assert len({other.fingerprint() for other in [one, *others]}) == 6


def test_amenities_are_split_sorted_and_said_once() -> None:
    assert amenities_of(["wifi,kitchen", "pool", "wifi"]) == ("kitchen", "pool", "wifi")
    assert amenities_of([]) == ()


def test_reversed_price_bounds_are_refused() -> None:
    with pytest.raises(PriceBoundsReversed):
        Request(prices=PriceBounds(lowest=5, highest=4)).check_prices()
    Request(prices=PriceBounds(lowest=5)).check_prices()


@given(
    st.integers(0, 50), st.integers(0, 50), st.integers(0, 60_000), st.sampled_from(["EUR", "JPY"])
)
def test_price_bounds_are_whole_units_of_the_listings_currency(
    lowest: int, highest: int, amount_minor: int, currency: str
) -> None:
    units = amount_minor / 10 ** exponent(currency)
    expected = lowest <= units and (highest == 0 or units <= highest)
    bounds = PriceBounds(lowest=lowest, highest=highest)
    assert bounds.admit(amount_minor, currency) == expected


@given(st.integers(0, 10**9), st.integers(1, 365))
def test_the_mean_night_is_rounded_half_up(accommodation: int, nights: int) -> None:
    price = StayPrice(currency="EUR", accommodation_minor=accommodation, total_minor=0)
    mean = price.mean_night_minor(nights)
    assert -nights < 2 * (accommodation - mean * nights) <= nights or (
        2 * (accommodation - mean * nights) == -nights
    )


SIGNALS = st.builds(
    Signals,
    rating=st.floats(0, 5),
    review_count=st.integers(0, 5000),
    superhost=st.booleans(),
    instant_book=st.booleans(),
    title_length=st.integers(0, 200),
    description_length=st.integers(0, 5000),
    amenity_count=st.integers(0, 50),
    rooms_said=st.integers(0, 3),
)


@given(SIGNALS)
def test_a_rank_is_an_integer_that_a_superhost_has_more_of(signals: Signals) -> None:
    rank = rank_of(signals)
    assert type(rank) is int
    assert 0 <= rank <= SCALE


def test_many_good_reviews_beat_one_perfect_one() -> None:
    def rated(rating: float, reviews: int) -> int:
        return rank_of(
            Signals(
                rating=rating,
                review_count=reviews,
                superhost=False,
                instant_book=False,
                title_length=20,
                description_length=200,
                amenity_count=9,
                rooms_said=3,
            )
        )

    assert rated(4.9, 100) > rated(5.0, 1) > rated(0.0, 0) > rated(2.0, 40)


def test_the_window_begins_yesterday() -> None:
    assert window_start(NOW) == (date(2026, 6, 30) - date(1970, 1, 1)).days
