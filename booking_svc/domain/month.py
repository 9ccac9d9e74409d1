"""A month of a calendar, as guests are shown it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from booking_svc.domain.calendar import Calendar, NightStatus
from booking_svc.domain.listing import Details
from booking_svc.domain.price import rates_of
from booking_svc.domain.stay import nights_between
from mesh.errors import Invalid


class MonthInvalid(Invalid):
    """There is no such month, or none that a calendar reaches."""

    reason = "MONTH_INVALID"


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a year, from 1 to 9998."""

    start: date

    @classmethod
    def of(cls, text: str) -> "Month":
        """Read "2026-07"; raise MonthInvalid."""
        try:
            start = date.fromisoformat(f"{text}-01")
        except ValueError as error:
            raise _invalid() from error
        if start.year == date.max.year:
            raise _invalid()
        return cls(start)

    @property
    def end(self) -> date:
        """Return the first day of the next month."""
        return (self.start + timedelta(days=31)).replace(day=1)

    def __str__(self) -> str:
        return self.start.isoformat()[:7]


def _invalid() -> MonthInvalid:
    return MonthInvalid("no such month", violations=[("month", "no such month")])


class Shown(StrEnum):
    """What a guest is told of a night."""

    AVAILABLE = "available"
    BLOCKED = "blocked"
    HELD = "held"
    BOOKED = "booked"
    PAST = "past"
    """Gone by, in the listing's own calendar."""


_SHOWN: Final[Mapping[NightStatus | None, Shown]] = {
    None: Shown.AVAILABLE,
    NightStatus.BLOCKED: Shown.BLOCKED,
    NightStatus.HELD: Shown.HELD,
    NightStatus.BOOKED: Shown.BOOKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNight:
    """A night; its price is None while the host has set none."""

    date: date
    status: Shown
    price_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthView:
    """The nights of a month, prices in minor units of `currency`."""

    listing_id: str
    month: Month
    currency: str
    nights: tuple[ShownNight, ...]


def month_view(details: Details, calendar: Calendar, month: Month, today: date) -> MonthView:
    """Return a month as it is shown on the listing's day `today`; `calendar` covers it."""
    rates = None if details.base_price is None else rates_of(details, calendar)

    def price_minor(day: date) -> int | None:
        if rates is None:
            return calendar.at(day).price_minor
        return rates.night_price_minor(day)

    return MonthView(
        listing_id=calendar.listing_id,
        month=month,
        currency=details.currency,
        nights=tuple(
            ShownNight(
                date=day,
                status=Shown.PAST if day < today else _SHOWN[calendar.at(day).status],
                price_minor=price_minor(day),
            )
            for day in nights_between(month.start, month.end)
        ),
    )
