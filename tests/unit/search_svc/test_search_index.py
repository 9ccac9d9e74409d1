"""The Elasticsearch query, the document, and the packed form of a batch."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_svc.domain import index
from search_svc.domain.candidates import Batch, pack, unpack
from search_svc.domain.listing import Position, PropertyType
from search_svc.domain.place import Area, Point
from search_svc.domain.search import Criteria, Filters
from tests.unit.search_svc.makers import card, listing

AREA = Area(centre=Point(38.7, -9.1), radius_km=50)
ALL = Filters(
    guests=3,
    amenities=("kitchen", "wifi"),
    property_types=(PropertyType.HOUSE, PropertyType.VILLA),
    instant_book=True,
    superhost=False,
    min_bedrooms=2,
    min_beds=3,
    min_bathrooms=1.5,
    min_rating=4.5,
)


def test_every_filter_is_a_clause_that_is_not_scored() -> None:
    body = index.query(Criteria(area=AREA, filters=ALL), None, 20)
    assert body["query"]["bool"].keys() == {"filter"}
    assert body["query"]["bool"]["filter"] == [
        {"geo_distance": {"distance": "50km", "location": {"lat": 38.7, "lon": -9.1}}},
        {"range": {"max_guests": {"gte": 3}}},
        {"range": {"bedrooms": {"gte": 2}}},
        {"range": {"beds": {"gte": 3}}},
        {"range": {"bathrooms": {"gte": 1.5}}},
        {"range": {"rating": {"gte": 4.5}}},
        {"term": {"instant_book": True}},
        {"term": {"superhost": False}},
        {"term": {"amenities": "kitchen"}},
        {"term": {"amenities": "wifi"}},
        {"terms": {"property_type": ["house", "villa"]}},
    ]
    assert body["track_total_hits"] is False
    assert "search_after" not in body


def test_without_filters_only_the_place_and_one_guest_are_asked_for() -> None:
    body = index.query(Criteria(area=AREA, filters=Filters()), Position(7, "lst_1"), 20)
    assert len(body["query"]["bool"]["filter"]) == 2
    assert body["search_after"] == [7, "lst_1"]
    assert body["sort"] == [{"rank": "desc"}, {"listing_id": "asc"}]


def test_the_query_asks_only_fields_that_the_mapping_has() -> None:
    fields = index.MAPPING["properties"]
    document = index.document(listing(5, bedrooms=None))
    assert document.keys() <= fields.keys()
    for clause in index.query(Criteria(area=AREA, filters=ALL), None, 1)["query"]["bool"]["filter"]:
        ((kind, body),) = clause.items()
        asked = body.keys() - {"distance"} if kind == "geo_distance" else body.keys()
        assert asked <= fields.keys()


def test_a_document_gives_back_its_card_also_after_json() -> None:
    one = listing(3, bedrooms=None, bathrooms=None)
    assert index.card(json.loads(json.dumps(index.document(one)))) == card(
        3, bedrooms=None, bathrooms=None
    )


@given(
    st.lists(st.integers(0, 500), unique=True, max_size=8),
    st.booleans(),
    st.text(max_size=30),
    st.none() | st.integers(0, 9),
)
def test_a_packed_batch_is_unpacked_as_it_was(
    numbers: list[int], last: bool, title: str, bedrooms: int | None
) -> None:
    cards = tuple(card(n, title=title, bedrooms=bedrooms) for n in numbers)
    batch = Batch(cards=cards, last=last)
    assert unpack(pack(batch)) == batch


@pytest.mark.parametrize("packed", [b"", b"{}", b"[]", b"[true,[[1]]]", b"[true,[1]]", b"\xff"])
def test_other_bytes_are_no_batch(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(packed)


def test_positions_are_ordered_by_rank_downwards_then_by_id() -> None:
    order = [Position(9, "b"), Position(5, "a"), Position(5, "b"), Position(1, "a")]
    for i, one in enumerate(order):
        for j, other in enumerate(order):
            assert one.before(other) == (i < j)
