"""A snapshot is read whole: each oddity loaded as what it means, or counted by its reason."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from staymesh.booking.v1 import listings_pb2

from stack.errors import StackError
from stack.imports.reviews import read_reviews
from stack.imports.snapshot import Snapshot
from tests.snapshots import IDS, LISTINGS, NIGHTS, REJECTED, write_snapshot

TODAY = date(2026, 11, 24)


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return Snapshot(write_snapshot(tmp_path / "albany"))


@pytest.fixture
def loaded(snapshot: Snapshot) -> dict[str, listings_pb2.ImportedListing]:
    names = {listing_id: name for name, listing_id in IDS.items()}
    return {names[record.source_id]: record for _, record in snapshot.records(TODAY)}


def test_each_row_is_loaded_or_counted_by_its_reason(snapshot, loaded) -> None:
    reasons = Counter(
        {reason: n for (file, reason), n in snapshot.rejects.counts.items() if "listings" in file}
    )
    assert reasons == REJECTED
    refused = sum(REJECTED.values())
    # The repeated and the torn row are beside the named ones.
    assert len(loaded) == len(LISTINGS) + 2 - refused


def test_wrong_calendar_rows_are_counted_and_the_rest_is_kept(snapshot, loaded) -> None:
    counts = snapshot.rejects.counts
    assert counts["calendar.csv", "wrong_date"] == 1
    assert counts["calendar.csv", "wrong_availability"] == 1
    assert counts["calendar.csv", "wrong_price"] == 1
    bits = int.from_bytes(loaded["usual"].unavailable, "little")
    assert [night for night in range(NIGHTS) if bits >> night & 1] == list(range(2, NIGHTS, 3))


def test_the_calendar_is_shifted_to_start_today(loaded) -> None:
    assert loaded["usual"].calendar_start == "2026-11-24"
    assert list(loaded["usual"].prices_minor) == [15000] * 7


def test_the_city_and_its_currency_come_from_where_the_listings_lie(snapshot, loaded) -> None:
    listing = loaded["usual"].listing
    assert (listing.address.city, listing.address.state) == ("Albany", "NY")
    assert (listing.address.country_code, listing.base_price.currency_code) == ("US", "USD")
    assert snapshot.name == "inside-airbnb:albany"


def test_oddities_mean_what_people_mean_by_them(loaded) -> None:
    assert loaded["thousands"].listing.base_price.units == 1234
    assert loaded["price_in_calendar_only"].listing.base_price.units == 95
    assert list(loaded["price_in_calendar_only"].prices_minor) == []
    assert loaded["shared_baths"].listing.bathrooms == 1.5
    assert loaded["shared_baths"].listing.property_type == listings_pb2.PROPERTY_TYPE_ROOM
    assert loaded["half_bath"].listing.bathrooms == 0.5
    assert not loaded["no_bedrooms"].listing.HasField("bedrooms")
    assert loaded["villa"].listing.property_type == listings_pb2.PROPERTY_TYPE_VILLA
    assert loaded["usual"].listing.property_type == listings_pb2.PROPERTY_TYPE_HOUSE
    assert loaded["long_stays"].listing.min_nights == 92
    assert loaded["multi_line"].listing.title == "A, B & C"


def test_reviews_of_unknown_listings_or_without_words_are_counted(snapshot) -> None:
    known = {IDS["usual"]: "lst_00000000000000000000000000"}
    reviews = list(read_reviews(snapshot.review_rows(), known, snapshot.rejects))
    assert [review.source_id for review in reviews] == ["1", "2"]
    reasons = {reason for file, reason in snapshot.rejects.counts if file == "reviews.csv"}
    assert reasons == {"empty_comment", "unknown_listing", "wrong_date"}


def test_a_folder_without_listings_is_refused_with_the_next_step(tmp_path) -> None:
    with pytest.raises(StackError, match=r"no listings\.csv\.gz"):
        Snapshot(tmp_path)


def test_a_summary_file_is_refused_with_the_columns_it_lacks(tmp_path) -> None:
    (tmp_path / "listings.csv").write_text("id,name\n1,a\n")
    with pytest.raises(StackError, match="accommodates"):
        Snapshot(tmp_path)


def test_a_damaged_file_is_refused_in_words(tmp_path) -> None:
    folder = write_snapshot(tmp_path / "albany")
    whole = (folder / "calendar.csv.gz").read_bytes()
    (folder / "calendar.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StackError, match=r"calendar\.csv\.gz cannot be read"):
        list(Snapshot(folder).records(TODAY))
