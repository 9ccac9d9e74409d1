"""Which stays a listing takes."""

from datetime import UTC, date, datetime, timedelta

import pytest

from booking_svc.domain.stay import (
    WINDOW_DAYS,
    Stay,
    StayRefused,
    StayRules,
    check_stay,
    local_date,
)

TODAY = date(2026, 6, 1)
RULES = StayRules(min_nights=2, max_nights=7, max_guests=4)


def stay(first: int, nights: int, guests: int = 2) -> Stay:
    check_in = TODAY + timedelta(days=first)
    return Stay(check_in=check_in, check_out=check_in + timedelta(days=nights), guests=guests)


@pytest.mark.parametrize("ok", [stay(0, 2), stay(10, 7, 4), stay(WINDOW_DAYS - 2, 2)])
def test_what_the_rules_allow_is_taken(ok: Stay) -> None:
    check_stay(ok, RULES, TODAY)


@pytest.mark.parametrize(
    ("bad", "fields"),
    [
        (stay(-1, 3), ["check_in"]),
        (stay(5, 0), ["check_out"]),
        (stay(5, -3), ["check_out"]),
        (stay(5, 1), ["check_out"]),
        (stay(5, 8), ["check_out"]),
        (stay(5, 3, 5), ["guests"]),
        (stay(WINDOW_DAYS - 1, 2), ["check_out"]),
        (stay(-1, 1, 5), ["check_in", "check_out", "guests"]),
    ],
)
def test_each_broken_rule_is_named(bad: Stay, fields: list[str]) -> None:
    with pytest.raises(StayRefused) as refused:
        check_stay(bad, RULES, TODAY)
    assert [violation.field for violation in refused.value.violations] == fields


def test_today_is_the_listings_own_day() -> None:
    now = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
    assert local_date(now, "Asia/Singapore") == date(2026, 6, 2)
    assert local_date(now, "America/New_York") == date(2026, 6, 1)
    assert local_date(now, "") == date(2026, 6, 1)
