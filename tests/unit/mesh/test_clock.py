from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.clock import Clock, FixedClock, SystemClock, epoch_ms

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def test_a_fixed_clock_stands_still_until_moved() -> None:
    clock = FixedClock(NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(hours=1)) == NOON + timedelta(hours=1) == clock.now()


def test_every_clock_speaks_utc() -> None:
    singapore = NOON.astimezone(timezone(timedelta(hours=8)))
    clocks: list[Clock] = [FixedClock(singapore), SystemClock()]
    assert [clock.now().tzinfo for clock in clocks] == [UTC, UTC]
    assert clocks[0].now() == NOON


def test_a_time_without_a_zone_is_refused() -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        FixedClock(naive)
    with pytest.raises(ValueError, match="aware"):
        epoch_ms(naive)


@given(st.timedeltas(timedelta(0), timedelta(days=120_000)))
def test_epoch_milliseconds_are_exact_and_rounded_down(since: timedelta) -> None:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + since
    back = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=epoch_ms(instant))
    assert timedelta(0) <= instant - back < timedelta(milliseconds=1)
