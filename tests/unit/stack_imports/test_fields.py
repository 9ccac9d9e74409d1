"""The fields of Inside Airbnb's files, each as it really comes."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.imports import fields


@pytest.mark.parametrize(
    ("text", "exponent", "minor"),
    [
        ("$1,234.00", 2, 123400),
        ("$70.00", 2, 7000),
        ("$109,999.00", 2, 10999900),
        ("15,000", 0, 15000),
        ("$1.50", 3, 1500),
        ("", 2, None),
        ("  ", 2, None),
        ("$0.00", 2, 0),
    ],
)
def test_a_price_is_read_to_the_minor_unit(text, exponent, minor) -> None:
    assert fields.price_minor(text, exponent) == minor


@given(st.integers(0, 10**9))
def test_a_price_written_with_thousands_reads_back(minor) -> None:
    assert fields.price_minor(f"${minor / 100:,.2f}", 2) == minor


@pytest.mark.parametrize("text", ["a lot", "-$5.00", "$1.2.3", "12 000 or so"])
def test_what_is_no_price_is_refused(text) -> None:
    with pytest.raises(ValueError, match="price"):
        fields.price_minor(text, 2)


@pytest.mark.parametrize(
    ("number", "text", "baths"),
    [
        ("1.5", "ignored", 1.5),
        ("", "1.5 shared baths", 1.5),
        ("", "1 bath", 1.0),
        ("", "2 baths", 2.0),
        ("", "1 private bath", 1.0),
        ("", "0 shared baths", 0.0),
        ("", "Half-bath", 0.5),
        ("", "Shared half-bath", 0.5),
        ("", "Private half-bath", 0.5),
        ("", "", None),
    ],
)
def test_bathrooms_are_read_from_the_number_or_the_words(number, text, baths) -> None:
    assert fields.bathrooms(number, text) == baths


def test_bathrooms_in_other_words_are_refused() -> None:
    with pytest.raises(ValueError, match="bathrooms"):
        fields.bathrooms("", "a bath or two")


def test_amenities_become_slugs_with_the_plain_names_people_filter_by() -> None:
    text = '["Fast wifi \\u2013 50 Mbps", "Free parking on premises", "Hair dryer", "Shared pool"]'
    assert fields.amenities(text) == [
        "fast_wifi_50_mbps",
        "free_parking_on_premises",
        "hair_dryer",
        "parking",
        "pool",
        "shared_pool",
        "wifi",
    ]


def test_a_name_that_only_sounds_like_an_amenity_is_not_one() -> None:
    assert "pool" not in fields.amenities('["Pool table"]')
    assert "dryer" not in fields.amenities('["Hair dryer"]')


@given(st.lists(st.text(max_size=80), max_size=300))
def test_any_list_of_names_gives_what_the_contract_allows(names) -> None:
    found = fields.amenities(json.dumps(names))
    assert len(found) <= 200
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-z0-9_]{1,60}", name) for name in found)
