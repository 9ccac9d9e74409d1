"""What a host may write, and what the market asks of a listing."""

from dataclasses import replace

import pytest

from booking_svc.domain.cancellation import CancellationPolicy
from booking_svc.domain.listing import (
    EDITABLE,
    Details,
    EtagMismatch,
    ListingIncomplete,
    ListingInvalid,
    ListingNotFound,
    ListingNotPublishable,
    ListingStatus,
    check_details,
    check_etag,
    edited,
    owned,
    published,
    visible,
)
from booking_svc.domain.money import Money
from booking_svc.domain.place import NOWHERE, Address, Point
from tests.unit.booking_svc.homes import DETAILS, HOST, NOW, listing

ENTROPY = b"12345678"


def fields_of(error: ListingIncomplete | ListingInvalid) -> set[str]:
    return {violation.field for violation in error.violations}


def test_only_the_fields_in_the_mask_change() -> None:
    given = Details(title="New", max_guests=2, address=Address(city="Troy", state="NY"))
    after = edited(listing(), given, {"title", "address.city"}, NOW, ENTROPY)
    assert after.details == replace(
        DETAILS, title="New", address=replace(DETAILS.address, city="Troy")
    )
    assert after.version == 2


@pytest.mark.parametrize(
    "path",
    ["host_id", "status", "rating", "listing_id", "etag", "public_location", "address.x", "", "*"],
)
def test_a_path_that_only_the_service_sets_is_refused(path: str) -> None:
    with pytest.raises(ListingInvalid):
        edited(listing(), DETAILS, {path}, NOW, ENTROPY)


def test_the_editable_paths_are_fields_of_the_contract() -> None:
    from staymesh.booking.v1 import listings_pb2  # noqa: PLC0415

    assert set(listings_pb2.Listing.DESCRIPTOR.fields_by_name) - EDITABLE == {
        *("listing_id", "host_id", "status", "etag", "rating", "review_count", "superhost"),
        *("create_time", "update_time"),
    }


def test_a_home_that_moves_takes_the_time_zone_of_its_place_and_is_shown_elsewhere() -> None:
    given = Details(location=Point(1.35, 103.8), time_zone="Asia/Singapore")
    after = edited(listing(), given, {"location"}, NOW, ENTROPY)
    assert after.details.time_zone == "Asia/Singapore"
    assert after.public_location not in (None, listing().public_location)
    same = edited(listing(), replace(DETAILS, title="New"), {"title", "location"}, NOW, ENTROPY)
    assert same.public_location == listing().public_location


def test_an_active_listing_cannot_lose_what_guests_need() -> None:
    with pytest.raises(ListingIncomplete) as refused:
        edited(listing(), Details(), {"title", "base_price"}, NOW, ENTROPY)
    assert fields_of(refused.value) == {"title", "base_price"}
    draft = listing(status=ListingStatus.DRAFT)
    after = edited(draft, Details(), {"title", "max_guests"}, NOW, ENTROPY)
    assert (after.details.title, after.details.max_guests) == ("", 0)


def test_the_currency_of_a_listing_stays() -> None:
    given = Details(base_price=Money(90_00, "EUR"), cleaning_fee=Money(1, "EUR"))
    with pytest.raises(ListingInvalid):
        edited(listing(), given, {"base_price", "cleaning_fee"}, NOW, ENTROPY)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"base_price": Money(-1, "USD")}, "base_price"),
        ({"weekend_price": Money(120_00, "EUR")}, "weekend_price"),
        ({"weekend_price": Money(0, "USD")}, "weekend_price"),
        ({"min_nights": 8, "max_nights": 7}, "min_nights"),
        ({"location": Point(91.0, 0.0)}, "location"),
        ({"location": Point(float("nan"), 0.0)}, "location"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(ListingInvalid) as refused:
        check_details(replace(DETAILS, **changes))  # type: ignore[arg-type]
    assert fields_of(refused.value) == {f"listing.{field}"}


def test_publishing_says_everything_that_is_missing() -> None:
    draft = listing(status=ListingStatus.DRAFT, details=Details())
    with pytest.raises(ListingIncomplete) as refused:
        published(draft, NOW)
    assert fields_of(refused.value) == {
        *("title", "property_type", "location", "address.city", "address.country_code"),
        *("time_zone", "base_price", "max_guests"),
    }


@pytest.mark.parametrize("status", [ListingStatus.DRAFT, ListingStatus.INACTIVE])
def test_a_whole_listing_goes_on_the_market(status: ListingStatus) -> None:
    after = published(listing(status=status), NOW)
    assert (after.status, after.version) == (ListingStatus.ACTIVE, 2)


def test_publishing_again_changes_nothing_and_a_suspended_one_stays_suspended() -> None:
    active = listing()
    assert published(active, NOW) is active
    with pytest.raises(ListingNotPublishable):
        published(listing(status=ListingStatus.SUSPENDED), NOW)


@pytest.mark.parametrize("status", set(ListingStatus) - {ListingStatus.ACTIVE})
def test_a_hidden_listing_is_there_for_its_host_alone(status: ListingStatus) -> None:
    hidden = listing(status=status)
    assert visible(hidden, HOST) is hidden
    for viewer in (None, "usr_other"):
        with pytest.raises(ListingNotFound) as not_theirs:
            visible(hidden, viewer)
        with pytest.raises(ListingNotFound) as absent:
            visible(None, viewer)
        assert not_theirs.value.message == absent.value.message


def test_a_host_changes_only_own_listings() -> None:
    with pytest.raises(ListingNotFound):
        owned(listing(), "usr_other")
    assert owned(listing(), HOST) == listing()


def test_an_etag_is_that_of_the_version_it_was_read_from() -> None:
    check_etag(listing(version=3), "3")
    check_etag(listing(version=3), "")
    with pytest.raises(EtagMismatch):
        check_etag(listing(version=3), "2")


def test_a_details_default_is_the_contracts() -> None:
    assert Details().cancellation_policy is CancellationPolicy.FLEXIBLE
    assert Details().address is NOWHERE
