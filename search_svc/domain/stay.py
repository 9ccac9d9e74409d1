"""The stay that is looked for, and the prices it is found at."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from mesh.errors import Invalid
from search_svc.domain.days import day_of, earliest_today

MAX_NIGHTS: Final = 365
MAX_DAYS_AHEAD: Final = 500
"""No stay may end later: booking refuses it too."""


class DatesIncomplete(Invalid):
    """One date without the other, or not a date of the calendar."""

    reason = "DATES_INCOMPLETE"


class DatesReversed(Invalid):
    """The stay ends before or when it begins."""

    reason = "DATES_REVERSED"


class DatesInThePast(Invalid):
    """The stay begins before today, wherever on Earth it is."""

    reason = "DATES_IN_THE_PAST"


class DatesTooFar(Invalid):
    """The stay is longer, or ends later, than anybody can book."""

    reason = "DATES_TOO_FAR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Nights and people. The night of `check_out` is not part of it."""

    check_in: date
    check_out: date
    guests: int

    @property
    def nights(self) -> int:
        """Return how many nights it has."""
        return (self.check_out - self.check_in).days

    @property
    def first_day(self) -> int:
        """Return the number of its first night."""
        return day_of(self.check_in)

    @property
    def end_day(self) -> int:
        """Return the number of the night after its last."""
        return day_of(self.check_out)


def stay_of(check_in: str, check_out: str, guests: int, now: datetime) -> Stay | None:
    """Return the stay, or None without dates; raise the error of the rule that it breaks."""
    if not check_in and not check_out:
        return None
    stay = Stay(
        check_in=_date(check_in, "check_in"), check_out=_date(check_out, "check_out"), guests=guests
    )
    today = earliest_today(now)
    if stay.nights < 1:
        raise DatesReversed(
            "the stay must end after it begins",
            violations=[("check_out", "must be later than check_in")],
        )
    if stay.check_in < today:
        raise DatesInThePast(
            "the stay begins in the past", violations=[("check_in", f"must be {today} or later")]
        )
    if stay.nights > MAX_NIGHTS:
        raise DatesTooFar(
            f"a stay is {MAX_NIGHTS} nights at most",
            violations=[("check_out", f"at most {MAX_NIGHTS} nights after check_in")],
        )
    # Where the day begins first it is up to a day later than where it begins last.
    if stay.check_out > today + timedelta(days=MAX_DAYS_AHEAD + 1):
        raise DatesTooFar(
            f"nights more than {MAX_DAYS_AHEAD} days ahead cannot be booked yet",
            violations=[("check_out", f"at most {MAX_DAYS_AHEAD} days from today")],
        )
    return stay


def _date(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DatesIncomplete(
            "both dates are needed, or neither",
            violations=[(field, "must be a date such as 2026-07-01")],
        ) from None


class StayPrice(NamedTuple):
    """What a stay costs at one listing, in minor units of `currency`."""

    currency: str
    accommodation_minor: int
    total_minor: int

    def mean_night_minor(self, nights: int) -> int:
        """Return the price of a night on average, halves rounded up."""
        return (2 * self.accommodation_minor + nights) // (2 * nights)
