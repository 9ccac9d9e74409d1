"""A calendar's bitmap and prices, after any run of changes, are what a plain dictionary says."""

from hypothesis import given
from hypothesis import strategies as st

from search_svc.domain.calendar import Calendar, CalendarChange, NightChange

FIRST = 20_000
NIGHTS = st.builds(
    NightChange,
    day=st.integers(FIRST - 5, FIRST + 600),
    available=st.booleans(),
    price_minor=st.sampled_from([0, 0, 500, 90_000]),
)
CHANGES = st.lists(
    st.builds(
        CalendarChange,
        listing_id=st.just("lst_1"),
        version=st.integers(1, 8),
        nights=st.lists(NIGHTS, max_size=6).map(tuple),
    ),
    max_size=8,
)


@given(CHANGES)
def test_changes_leave_the_newest_state_of_each_night(changes: list[CalendarChange]) -> None:
    calendar, version, nights = Calendar(), 0, dict[int, NightChange]()
    for change in changes:
        calendar = calendar.changed(change, FIRST)
        if change.version > version:
            version = change.version
            nights |= {night.day: night for night in change.nights}
    assert calendar.version == version
    for day in range(FIRST, FIRST + 601):
        night = nights.get(day)
        assert calendar.is_taken(day) == (night is not None and not night.available)
        assert calendar.prices.get(day, 0) == (0 if night is None else night.price_minor)
    assert not any(day < FIRST for day in calendar.prices)


@given(CHANGES, st.integers(FIRST, FIRST + 700))
def test_forgetting_the_past_changes_no_night_to_come(
    changes: list[CalendarChange], today: int
) -> None:
    calendar = Calendar()
    for change in changes:
        calendar = calendar.changed(change, FIRST)
    later = calendar.since(today)
    for day in range(today, FIRST + 701):
        assert later.is_taken(day) == calendar.is_taken(day)
        assert later.prices.get(day) == calendar.prices.get(day)
    assert not any(later.is_taken(day) for day in range(FIRST - 5, today))


def test_an_older_version_changes_nothing() -> None:
    newer = CalendarChange(listing_id="l", version=3, nights=(NightChange(FIRST, False, 7),))
    older = CalendarChange(listing_id="l", version=2, nights=(NightChange(FIRST, True, 0),))
    calendar = Calendar().changed(newer, FIRST)
    assert calendar.changed(older, FIRST) is calendar
    assert calendar.changed(newer, FIRST) is calendar


def test_the_bytes_are_as_long_as_the_last_taken_night() -> None:
    change = CalendarChange(listing_id="l", version=1, nights=(NightChange(FIRST + 9, False, 0),))
    assert Calendar().changed(change, FIRST).taken_bytes() == bytes([0, 2])
    assert Calendar().taken_bytes() == b""
