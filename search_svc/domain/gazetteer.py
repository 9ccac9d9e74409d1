"""Place names to points: "Singapore", "Albany, NY", "são paulo, brazil".

Case, accents and punctuation do not matter. Of several places with one name the most populous is
meant, where a name that is not the place's own counts a tenth. What follows a comma (or the last
words, without one) narrows: a state's or country's code or name.
"""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from mesh.errors import NotFound
from search_svc.domain.place import Place, Point

OTHER_NAME_SHARE: Final = 0.1
_HINTS: Final = 3


class PlaceNotFound(NotFound):
    """No place of that name is known; the metadata has names that are near it, if any."""

    reason = "PLACE_NOT_FOUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A city as a gazetteer knows it. `region` is its first-order division's code."""

    name: str
    country_code: str
    region: str
    point: Point
    population: int
    other_names: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Return it as one says it: name, region where it has letters, country."""
        region = "" if self.region.isdigit() else self.region
        return ", ".join(filter(None, (self.name, region, self.country_code)))


def plain(text: str) -> str:
    """Return a name without case, accents and punctuation: what names are compared by."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    words = "".join(c if c.isalnum() else " " for c in letters)
    return " ".join(words.split())


class Gazetteer:
    """Cities by name.

    `qualifiers` gives what may follow a name: plain text to the countries, or regions of a
    country, that it stands for, as ("US", "NY") or ("US", "").
    """

    def __init__(
        self, cities: Iterable[City], qualifiers: Mapping[str, Sequence[tuple[str, str]]]
    ) -> None:
        self._by_name: dict[str, list[tuple[float, City]]] = {}
        for city in cities:
            self._add(city.name, city, 1.0)
            for name in city.other_names:
                self._add(name, city, OTHER_NAME_SHARE)
        self._names = sorted(self._by_name)
        self._qualifiers = qualifiers

    def _add(self, name: str, city: City, share: float) -> None:
        key = plain(name)
        if key:
            self._by_name.setdefault(key, []).append((share * (city.population + 1), city))

    def find(self, text: str) -> Place:
        """Return the place that `text` names; raise PlaceNotFound."""
        for name, qualifiers in _readings(text):
            city = self._best(name, qualifiers)
            if city is not None:
                return Place(point=city.point, name=city.name, country_code=city.country_code)
        hints = list(islice(self._hints(text), _HINTS))
        raise PlaceNotFound(
            "no such place is known" + (f"; did you mean {' or '.join(hints)}?" if hints else ""),
            metadata={"hint": "; ".join(hints)} if hints else {"hint": "City, Country"},
        )

    def _best(self, name: str, qualifiers: Sequence[str]) -> City | None:
        found = self._by_name.get(name, ())
        if qualifiers:
            ranked = [(self._matches(city, qualifiers), weight, city) for weight, city in found]
            ranked = [entry for entry in ranked if entry[0]]
        else:
            ranked = [(0, weight, city) for weight, city in found]
        return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None

    def _matches(self, city: City, qualifiers: Sequence[str]) -> int:
        """Return how many of the qualifiers hold for the city."""
        return sum(
            (city.country_code, "") in (meant := self._qualifiers.get(qualifier, ()))
            or (city.country_code, city.region) in meant
            for qualifier in qualifiers
        )

    def _hints(self, text: str) -> Iterator[str]:
        """Yield names of the same place elsewhere, else names that begin alike, biggest first."""
        for name, _ in _readings(text):
            if name in self._by_name:
                yield from self._said(self._by_name[name])
                return
        name = plain(text.partition(",")[0])
        for length in range(len(name) - 1, 2, -1):
            start = bisect_left(self._names, name[:length])
            alike = [
                entry
                for key in islice(self._names, start, start + 200)
                if key.startswith(name[:length])
                for entry in self._by_name[key]
            ]
            if alike:
                yield from self._said(alike)
                return

    @staticmethod
    def _said(entries: Sequence[tuple[float, City]]) -> Iterator[str]:
        said = dict.fromkeys(
            ", ".join(
                filter(None, (c.name, "" if c.region.isdigit() else c.region, c.country_code))
            )
            for _, c in sorted(entries, key=lambda entry: -entry[0])
        )
        yield from said


def _readings(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the ways to read a text, as a name and what narrows it."""
    head, *rest = [plain(part) for part in text.split(",")]
    whole = plain(text)
    if rest:
        yield head, [part for part in rest if part] if any(rest) else []
    yield whole, []
    words = whole.split()
    for cut in range(len(words) - 1, 0, -1):
        yield " ".join(words[:cut]), [" ".join(words[cut:])]
