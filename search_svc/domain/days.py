"""Nights as numbers: days since 1970-01-01, the form that events, bitmaps and shards share."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_BEHIND: Final = timezone(timedelta(hours=-12))


def day_of(night: date) -> int:
    """Return the number of a night, named by the date of its evening."""
    return night.toordinal() - _EPOCH_ORDINAL


def date_of(day: int) -> date:
    """Return the date of a night's evening."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def earliest_today(now: datetime) -> date:
    """Return today where the day begins last (UTC-12): no listing has an earlier one."""
    return now.astimezone(_BEHIND).date()


def window_start(now: datetime) -> int:
    """Return the first day that calendars are kept for: yesterday in UTC.

    A night that somewhere on Earth is still to come is never before it.
    """
    return day_of(now.astimezone(UTC).date()) - 1
