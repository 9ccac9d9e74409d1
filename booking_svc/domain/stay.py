"""Which stays a listing takes: dates, nights and guests."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mesh.errors import Invalid

WINDOW_DAYS: Final = 500
"""How far ahead a stay may end: search keeps 512 nights of each calendar."""


class StayRefused(Invalid):
    """The listing does not take such a stay; the violations say which rule it breaks."""

    reason = "STAY_REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Nights and people. The night of `check_out` is not part of it."""

    check_in: date
    check_out: date
    guests: int

    @property
    def nights(self) -> int:
        """Return how many nights it has; 0 or less when its dates are reversed."""
        return (self.check_out - self.check_in).days

    def dates(self) -> Iterator[date]:
        """Yield each night."""
        return nights_between(self.check_in, self.check_out)


def nights_between(start: date, end: date) -> Iterator[date]:
    """Yield each night from `start` up to, but without, `end`."""
    for offset in range((end - start).days):
        yield start + timedelta(days=offset)


def local_date(now: datetime, time_zone: str) -> date:
    """Return the day it is at the listing; an empty zone is UTC."""
    return now.astimezone(ZoneInfo(time_zone or "UTC")).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class StayRules:
    """What a listing asks of a stay."""

    min_nights: int
    max_nights: int
    max_guests: int


def check_stay(stay: Stay, rules: StayRules, today: date) -> None:
    """Raise StayRefused with every rule that `stay` breaks. `today` is the listing's own day."""
    violations = [*_date_violations(stay, today), *_rule_violations(stay, rules)]
    if violations:
        raise StayRefused(violations[0][1], violations=violations)


def _date_violations(stay: Stay, today: date) -> Iterator[tuple[str, str]]:
    if stay.check_in < today:
        yield "check_in", f"is before today, {today}, at the listing"
    if stay.nights <= 0:
        yield "check_out", "must be after check_in"
    if stay.check_out > today + timedelta(days=WINDOW_DAYS):
        yield "check_out", f"is more than {WINDOW_DAYS} days ahead"


def _rule_violations(stay: Stay, rules: StayRules) -> Iterator[tuple[str, str]]:
    if 0 < stay.nights < rules.min_nights:
        yield "check_out", f"the listing takes stays of {rules.min_nights} nights or more"
    if stay.nights > rules.max_nights:
        yield "check_out", f"the listing takes stays of {rules.max_nights} nights or fewer"
    if stay.guests > rules.max_guests:
        yield "guests", f"the listing takes {rules.max_guests} guests or fewer"
