"""Which lodging taxes apply to a place on a day; the table is `taxes.toml`, with its sources."""

import functools
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import resources
from typing import Any, NamedTuple


class TaxBase(StrEnum):
    """What a tax is a percentage of."""

    ACCOMMODATION = "accommodation"
    WITH_CLEANING = "with_cleaning"
    WITH_FEES = "with_fees"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRule:
    """One percentage tax: `bps` ten-thousandths of its base, for stays of up to `max_nights`."""

    name: str
    jurisdiction: str
    bps: int
    base: TaxBase = TaxBase.WITH_CLEANING
    max_nights: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.bps <= 10_000:
            raise ValueError(f"a tax is from 0 to 10000 bps, not {self.bps}")

    def applies_to(self, nights: int) -> bool:
        """Return whether a stay of that many nights is taxed."""
        return self.max_nights is None or nights <= self.max_nights

    def base_minor(self, accommodation: int, cleaning_fee: int, service_fee: int) -> int:
        """Return the taxed part of the price, in minor units."""
        match self.base:
            case TaxBase.ACCOMMODATION:
                return accommodation
            case TaxBase.WITH_CLEANING:
                return accommodation + cleaning_fee
            case TaxBase.WITH_FEES:
                return accommodation + cleaning_fee + service_fee


class _Entry(NamedTuple):
    rule: TaxRule
    first_day: date
    end: date  # the first day it no longer applies


class _Table(NamedTuple):
    by_place: Mapping[tuple[str, str, str], tuple[_Entry, ...]]
    state_codes: Mapping[tuple[str, str], str]


def resolve(country: str, state: str, city: str, on: date) -> tuple[TaxRule, ...]:
    """Return the taxes for a check-in on that day, the widest jurisdiction first.

    `country` is ISO 3166-1 alpha-2; `state` is a code or a name, and may be empty, as may `city`.
    Case and accents do not matter. A place the table does not know has no taxes.
    """
    table = _table()
    land, town = _plain(country), _plain(city)
    region = table.state_codes.get((land, _plain(state)), _plain(state))
    places = dict.fromkeys(
        [(land, "", ""), (land, region, ""), (land, region, town), (land, "", town)]
    )
    return tuple(
        entry.rule
        for place in places
        for entry in table.by_place.get(place, ())
        if entry.first_day <= on < entry.end
    )


@functools.cache
def _table() -> _Table:
    text = resources.files(__package__).joinpath("taxes.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    by_place: dict[tuple[str, str, str], tuple[_Entry, ...]] = {}
    for row in data["tax"]:
        country, state, city = [*row["where"].split("/"), "", ""][:3]
        place = (_plain(country), _plain(state), _plain(city))
        by_place[place] = (*by_place.get(place, ()), _entry(row))
    codes = {
        (_plain(country), _plain(name)): _plain(code)
        for country, names in data["states"].items()
        for name, code in names.items()
    }
    return _Table(by_place, codes)


def _entry(row: Mapping[str, Any]) -> _Entry:
    rule = TaxRule(
        name=row["name"],
        jurisdiction="/".join(part for part in row["where"].split("/") if part),
        bps=row["bps"],
        base=TaxBase(row["base"]),
        max_nights=row.get("max_nights"),
    )
    return _Entry(rule, row["from"], row.get("until", date.max))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
