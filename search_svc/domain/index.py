"""The Elasticsearch index: its settings, a listing's document, a search's query.

Everything is in filter context, so nothing is scored: the order is the stored rank, then the id,
which is also the order of documents inside a segment, so a query stops as soon as it has its page.
"""

from collections.abc import Mapping
from typing import Any, Final

from search_svc.domain.candidates import card_of
from search_svc.domain.listing import Card, Listing, Position
from search_svc.domain.search import Criteria, Filters

ALIAS: Final = "listings"
VERSION: Final = 1
"""Grows with each change of the mapping that old documents do not fit."""
SHARDS: Final = 5
_SHOWN: Final = {"index": False, "doc_values": False}

MAPPING: Final[dict[str, Any]] = {
    "dynamic": "strict",
    "properties": {
        "listing_id": {"type": "keyword"},
        "rank": {"type": "integer"},
        "location": {"type": "geo_point"},
        "property_type": {"type": "keyword"},
        "amenities": {"type": "keyword"},
        "instant_book": {"type": "boolean"},
        "superhost": {"type": "boolean"},
        "max_guests": {"type": "integer"},
        "bedrooms": {"type": "integer"},
        "beds": {"type": "integer"},
        "bathrooms": {"type": "double"},
        "rating": {"type": "double"},
        "title": {"type": "text"},
        "city": {"type": "keyword"},
        "country_code": {"type": "keyword"},
        "lat": {"type": "double", **_SHOWN},
        "lng": {"type": "double", **_SHOWN},
        "review_count": {"type": "integer", **_SHOWN},
        "currency": {"type": "keyword", **_SHOWN},
        "base_price_minor": {"type": "long", **_SHOWN},
    },
}


def settings(refresh_seconds: int) -> dict[str, Any]:
    """Return the settings of a new index; each shard has a replica as soon as there are nodes."""
    return {
        "number_of_shards": SHARDS,
        "auto_expand_replicas": "0-1",
        "refresh_interval": f"{refresh_seconds}s",
        "sort.field": ["rank", "listing_id"],
        "sort.order": ["desc", "asc"],
    }


def document(listing: Listing) -> dict[str, Any]:
    """Return a listing's document."""
    shown = {name: getattr(listing, name) for name in Card._fields if name not in ("lat", "lng")}
    lat, lng = listing.point.lat, listing.point.lng
    return {
        **shown,
        "lat": lat,
        "lng": lng,
        "location": {"lat": lat, "lon": lng},
        "amenities": list(listing.amenities),
    }


def query(criteria: Criteria, after: Position | None, size: int) -> dict[str, Any]:
    """Return the body of a search for the candidates that come after a position."""
    centre = criteria.area.centre
    near = {
        "geo_distance": {
            "distance": f"{criteria.area.radius_km}km",
            "location": {"lat": centre.lat, "lon": centre.lng},
        }
    }
    body: dict[str, Any] = {
        "query": {"bool": {"filter": [near, *_clauses(criteria.filters)]}},
        "sort": [{"rank": "desc"}, {"listing_id": "asc"}],
        "size": size,
        "track_total_hits": False,
        "_source": list(Card._fields),
    }
    if after is not None:
        body["search_after"] = [after.rank, after.listing_id]
    return body


def card(source: Mapping[str, Any]) -> Card:
    """Return the card in a document; raise KeyError when it lacks a field."""
    return card_of(source)


def _clauses(filters: Filters) -> list[dict[str, Any]]:
    least = {
        "max_guests": filters.guests,
        "bedrooms": filters.min_bedrooms,
        "beds": filters.min_beds,
        "bathrooms": filters.min_bathrooms,
        "rating": filters.min_rating,
    }
    exact = {"instant_book": filters.instant_book, "superhost": filters.superhost}
    clauses: list[dict[str, Any]] = [
        {"range": {field: {"gte": value}}} for field, value in least.items() if value
    ]
    clauses += [{"term": {field: value}} for field, value in exact.items() if value is not None]
    clauses += [{"term": {"amenities": amenity}} for amenity in filters.amenities]
    if filters.property_types:
        clauses.append({"terms": {"property_type": [str(kind) for kind in filters.property_types]}})
    return clauses
