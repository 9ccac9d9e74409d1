"""One availability shard: which of these listings are free for a stay, and for how much.

It holds its listings in columns, by ordinal (the order they were first heard of), and answers
without a database. It is built from the projection and then follows the same events in the same
order; versions make an event that is in the snapshot already a no-op.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pricing import Rates, TaxRule, resolve, total_from_accommodation_minor
from search_svc.domain.calendar import Calendar, CalendarChange
from search_svc.domain.days import date_of
from search_svc.domain.interned import Interned
from search_svc.domain.listing import Listing
from search_svc.domain.nights import NightBits
from search_svc.domain.stay import Stay, StayPrice

_FRIDAY, _SATURDAY = 4, 5
_NO_PRICE: Final = -1
_COLUMNS: Final[dict[str, Any]] = {
    "active": np.bool_,
    "version": np.int64,
    "calendar_version": np.int64,
    "min_nights": np.int32,
    "max_nights": np.int32,
    "max_guests": np.int32,
    "base": np.int64,
    "weekend": np.int64,
    "cleaning": np.int64,
    "currency": np.int32,
    "place": np.int32,
}


class Terms(NamedTuple):
    """What a listing asks of a stay, and for it."""

    active: bool
    min_nights: int
    max_nights: int
    max_guests: int
    currency: str
    base_price_minor: int
    weekend_price_minor: int | None
    cleaning_fee_minor: int
    country_code: str
    state: str
    city: str

    @classmethod
    def of(cls, listing: Listing) -> "Terms":
        """Return the terms of a listing."""
        return cls(*(getattr(listing, field) for field in cls._fields))


class Found(NamedTuple):
    """A listing that is free: the nth of those that were asked about, from 0."""

    nth: int
    price: StayPrice


class ShardState:
    """The listings of one shard, in memory, for one thread."""

    def __init__(self, first_day: int, capacity: int = 1024) -> None:
        self._nights = NightBits(first_day, capacity)
        self._ordinals: dict[str, int] = {}
        self._columns: dict[str, NDArray[Any]] = {
            name: np.zeros(self._nights.capacity, dtype) for name, dtype in _COLUMNS.items()
        }
        self._prices: dict[int, dict[int, int]] = {}
        self._currencies = Interned[str]()
        self._places = Interned[tuple[str, str, str]]()

    def __len__(self) -> int:
        return len(self._ordinals)

    @property
    def first_day(self) -> int:
        """Return the first night that is kept."""
        return self._nights.first_day

    def put_listing(self, listing_id: str, version: int, terms: Terms) -> bool:
        """Take a version of a listing; return False when it is no news."""
        at = self._ordinal(listing_id)
        columns = self._columns
        if version <= columns["version"][at]:
            return False
        columns["version"][at] = version
        columns["active"][at] = terms.active
        columns["min_nights"][at] = terms.min_nights
        columns["max_nights"][at] = terms.max_nights
        columns["max_guests"][at] = terms.max_guests
        columns["base"][at] = terms.base_price_minor
        weekend = terms.weekend_price_minor
        columns["weekend"][at] = _NO_PRICE if weekend is None else weekend
        columns["cleaning"][at] = terms.cleaning_fee_minor
        columns["currency"][at] = self._currencies.number(terms.currency)
        place = (terms.country_code, terms.state, terms.city)
        columns["place"][at] = self._places.number(place)
        return True

    def load_calendar(self, listing_id: str, calendar: Calendar) -> None:
        """Take the calendar of a listing from a snapshot."""
        at = self._ordinal(listing_id)
        self._columns["calendar_version"][at] = calendar.version
        self._nights.load(at, calendar.first_day, calendar.taken_bytes())
        self._set_prices(at, calendar.prices)

    def change_calendar(self, change: CalendarChange) -> bool:
        """Follow a change of a calendar; return False when it is no news."""
        at = self._ordinal(change.listing_id)
        if change.version <= self._columns["calendar_version"][at]:
            return False
        self._columns["calendar_version"][at] = change.version
        prices = dict(self._prices.get(at, {}))
        for night in change.nights:
            self._nights.put(at, night.day, taken=not night.available)
            prices[night.day] = night.price_minor
        self._set_prices(at, prices)
        return True

    def roll(self, first_day: int) -> None:
        """Forget the nights before `first_day`, and keep as many new ones at the far end."""
        self._nights.roll(first_day)

    def calendar(self, listing_id: str) -> Calendar:
        """Return what is held of a listing's calendar: for comparing with the projection."""
        at = self._ordinals.get(listing_id)
        if at is None:
            return Calendar()
        first = self._nights.first_day
        return Calendar(
            version=int(self._columns["calendar_version"][at]),
            first_day=first,
            taken=sum(1 << (day - first) for day in self._nights.taken_days(at)),
            prices={d: p for d, p in self._prices.get(at, {}).items() if d >= first},
        )

    def version(self, listing_id: str) -> int:
        """Return the version of a listing that is held; 0 for one that is not."""
        at = self._ordinals.get(listing_id)
        return 0 if at is None else int(self._columns["version"][at])

    def check(self, listing_ids: Sequence[str], stay: Stay) -> list[Found]:
        """Return those that are active, free, and take such a stay, with its price, in order.

        Nights beyond the window are not known to be free, so nothing is found for them.
        """
        if stay.first_day < self._nights.first_day or stay.end_day > self._nights.end_day:
            return []
        held = [(i, self._ordinals.get(one, -1)) for i, one in enumerate(listing_ids)]
        pairs = np.array(held, dtype=np.int64).reshape(-1, 2)
        indexes, ordinals = pairs[pairs[:, 1] >= 0].T
        fits = self._fits(ordinals, stay)
        fits &= ~self._nights.any_taken(ordinals, stay.first_day, stay.end_day)
        priced = self._priced(ordinals[fits], stay)
        return [
            Found(nth=nth, price=price)
            for nth, price in zip(indexes[fits].tolist(), priced, strict=True)
        ]

    def _fits(self, ordinals: NDArray[np.int64], stay: Stay) -> NDArray[np.bool_]:
        columns, nights = self._columns, stay.nights
        fits: NDArray[np.bool_] = (
            columns["active"][ordinals]
            & (columns["min_nights"][ordinals] <= nights)
            & (columns["max_nights"][ordinals] >= nights)
            & (columns["max_guests"][ordinals] >= stay.guests)
        )
        return fits

    def _priced(self, ordinals: NDArray[np.int64], stay: Stay) -> Iterator[StayPrice]:
        names = ("base", "weekend", "cleaning", "currency", "place")
        rows = zip(*(self._columns[name][ordinals].tolist() for name in names), strict=True)
        for at, (base, weekend, cleaning, currency, place) in zip(
            ordinals.tolist(), rows, strict=True
        ):
            rates = Rates(
                currency=self._currencies[currency],
                base_price_minor=base,
                weekend_price_minor=None if weekend == _NO_PRICE else weekend,
                cleaning_fee_minor=cleaning,
                taxes=_taxes(self._places[place], stay.check_in),
            )
            accommodation = _usual_minor(rates, stay) + self._extra_minor(at, rates, stay)
            yield StayPrice(
                currency=rates.currency,
                accommodation_minor=accommodation,
                total_minor=total_from_accommodation_minor(rates, accommodation, stay.nights),
            )

    def _extra_minor(self, at: int, rates: Rates, stay: Stay) -> int:
        """Return what the nights with a price of their own cost more, or less, than usual."""
        prices = self._prices.get(at)
        if not prices:
            return 0
        return sum(
            prices[day] - rates.usual_price_minor(date_of(day))
            for day in range(stay.first_day, stay.end_day)
            if day in prices
        )

    def _set_prices(self, at: int, prices: Mapping[int, int]) -> None:
        kept = {day: p for day, p in prices.items() if p and day >= self._nights.first_day}
        if kept:
            self._prices[at] = kept
        else:
            self._prices.pop(at, None)

    def _ordinal(self, listing_id: str) -> int:
        """Return the ordinal of a listing, a new one when it is first heard of."""
        at = self._ordinals.setdefault(listing_id, len(self._ordinals))
        if at >= self._nights.capacity:
            self._nights.grow(at + 1)
            for name, column in self._columns.items():
                grown = np.zeros(self._nights.capacity, column.dtype)
                grown[: len(column)] = column
                self._columns[name] = grown
        return at


def _usual_minor(rates: Rates, stay: Stay) -> int:
    """Return what the nights cost when none has a price of its own."""
    total = stay.nights * rates.base_price_minor
    if rates.weekend_price_minor is not None:
        total += _weekend_nights(stay) * (rates.weekend_price_minor - rates.base_price_minor)
    return total


@functools.lru_cache(maxsize=4096)
def _weekend_nights(stay: Stay) -> int:
    weekdays = (date_of(day).weekday() for day in range(stay.first_day, stay.end_day))
    return sum(weekday in (_FRIDAY, _SATURDAY) for weekday in weekdays)


@functools.lru_cache(maxsize=65536)
def _taxes(place: tuple[str, str, str], on: date) -> tuple[TaxRule, ...]:
    return resolve(*place, on)
