"""Place names to points: "Singapore", "Albany, NY", "são paulo, brazil".

Case, accents and punctuation do not matter. Of several places with one name the most populous is
meant, where a name that is not the place's own counts a tenth. What follows a comma (or the last
words, without one) narrows: a state's or country's code or name.
"""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from mesh.errors import NotFound
from search_svc.domain.place import Place, Point

OTHER_NAME_SHARE: Final = 0.1
_HINTS: Final = 3
_NEIGHBOURS: Final = 200
_ALPHABET: Final = 20_000


class PlaceNotFound(NotFound):
    """No place of that name is known; the metadata has names that are near it, if any."""

    reason = "PLACE_NOT_FOUND"


class City(NamedTuple):
    """A city as a gazetteer knows it. `region` is its first-order division's code."""

    name: str
    country_code: str
    region: str
    lat: float
    lng: float
    population: int

    @property
    def said(self) -> str:
        """Return it as one says it: name, region where it has letters, country."""
        region = "" if self.region.isdigit() else self.region
        return ", ".join(filter(None, (self.name, region, self.country_code)))


class _Letters(dict[int, str]):
    """A table for `str.translate`, filled as characters are met: accents go, others part words."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        if unicodedata.combining(letter):
            letter = ""
        elif not letter.isalnum():
            letter = " "
        if len(self) < _ALPHABET:  # strangers' texts come here too
            self[code] = letter
        return letter


_LETTERS: Final = _Letters()


def plain(text: str) -> str:
    """Return a name without case, accents and punctuation: what names are compared by."""
    letters = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    return " ".join(letters.split())


class Gazetteer:
    """Cities by name.

    `qualifiers` gives what may follow a name: plain text to the countries, or regions of a
    country, that it stands for, as ("US", "NY") or ("US", ""). A quarter of a million names are
    kept, so each costs no more than its text and a pointer where it names one city.
    """

    def __init__(
        self,
        cities: Iterable[tuple[City, Sequence[str]]],
        qualifiers: Mapping[str, Sequence[tuple[str, str]]],
    ) -> None:
        self._by_name: dict[str, City | tuple[City, ...]] = {}
        for city, other_names in cities:
            for key in {plain(name) for name in (city.name, *other_names)}:
                self._add(key, city)
        self._by_name.pop("", None)
        self._names = sorted(self._by_name)
        self._qualifiers = qualifiers

    def _add(self, key: str, city: City) -> None:
        had = self._by_name.setdefault(key, city)
        if had is not city:
            self._by_name[key] = (had, city) if isinstance(had, City) else (*had, city)

    def _named(self, key: str) -> tuple[City, ...]:
        found = self._by_name.get(key, ())
        return (found,) if isinstance(found, City) else found

    def find(self, text: str) -> Place:
        """Return the place that `text` names; raise PlaceNotFound."""
        for name, qualifiers in _readings(text):
            city = self._best(name, qualifiers)
            if city is not None:
                point = Point(city.lat, city.lng)
                return Place(point=point, name=city.name, country_code=city.country_code)
        hints = list(islice(self._hints(text), _HINTS))
        raise PlaceNotFound(
            "no such place is known" + (f"; did you mean {' or '.join(hints)}?" if hints else ""),
            metadata={"hint": "; ".join(hints)} if hints else {"hint": "City, Country"},
        )

    def _best(self, name: str, qualifiers: Sequence[str]) -> City | None:
        ranked = [(self._matches(c, qualifiers), _weight(c, name), c) for c in self._named(name)]
        if qualifiers:
            ranked = [entry for entry in ranked if entry[0]]
        return max(ranked)[2] if ranked else None

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
                yield from _said((_weight(city, name), city) for city in self._named(name))
                return
        name = plain(text.partition(",")[0])
        for length in range(len(name) - 1, 2, -1):
            start = bisect_left(self._names, name[:length])
            near = islice(self._names, start, start + _NEIGHBOURS)
            alike = [key for key in near if key.startswith(name[:length])]
            if alike:
                yield from _said((_weight(c, key), c) for key in alike for c in self._named(key))
                return


def _weight(city: City, name: str) -> float:
    share = 1.0 if plain(city.name) == name else OTHER_NAME_SHARE
    return share * (city.population + 1)


def _said(weighed: Iterable[tuple[float, City]]) -> Iterator[str]:
    biggest = sorted(weighed, reverse=True)
    yield from dict.fromkeys(city.said for _, city in biggest)


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
