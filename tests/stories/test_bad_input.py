"""What bad input gets: a 4xx in the one error shape, with a reason; nothing is written."""

import uuid
from typing import Any

import pytest

from tests.stories.people import Person, day, ok, publish, refused, sign_up, stay

NOBODY = "lst_00000000000000000000000000"


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"checkIn": day(-3), "checkOut": day(2)}, 400, "STAY_REFUSED"),
        ({"checkIn": day(33), "checkOut": day(30)}, 400, "STAY_REFUSED"),
        ({"checkIn": day(30), "checkOut": day(30)}, 400, "STAY_REFUSED"),
        ({"checkIn": "2030-02-30"}, 400, "VALUE_INVALID"),
        ({"checkIn": "soon"}, 400, "REQUEST_INVALID"),
        ({"guests": 5}, 400, "STAY_REFUSED"),
        ({"guests": 0}, 400, "REQUEST_INVALID"),
        ({"checkOut": day(31)}, 400, "STAY_REFUSED"),
        ({"checkOut": day(62)}, 400, "STAY_REFUSED"),
        ({"listingId": NOBODY}, 404, "LISTING_NOT_FOUND"),
        ({"listingId": "that one"}, 400, "REQUEST_INVALID"),
        ({"guestCount": 2}, 400, "UNKNOWN_FIELD"),
        ({"guests": "two"}, 400, "MALFORMED_REQUEST"),
        ({"expectedTotal": {"currencyCode": "EUR", "units": "10"}}, 409, "PRICE_CHANGED"),
        ({"quoteId": "quo_00000000000000000000000000"}, 400, "QUOTE_EXPIRED"),
        ({"paymentMethodId": "4242424242424242"}, 400, "REQUEST_INVALID"),
    ],
)
async def test_a_booking_that_cannot_be_is_refused_with_its_reason(
    guest: Person, listing_id: str, change: dict[str, Any], status: int, reason: str
) -> None:
    refused(await guest.book(stay(listing_id, 30, 3) | change), status, reason)
    assert ok(await guest.get("/api/v1/users/me/bookings"))["bookings"] == []
    ok(await guest.book(stay(listing_id, 30, 3)))


async def test_a_price_that_moved_is_refused_with_the_new_one(
    guest: Person, listing_id: str
) -> None:
    seen = {"expectedTotal": {"currencyCode": "EUR", "units": "10"}}
    told = refused(await guest.book(stay(listing_id, 30, 3) | seen), 409, "PRICE_CHANGED")
    assert told["currency"] == "EUR"
    assert int(told["total_minor"]) > 3 * 120_00


async def test_a_booking_without_a_key_or_with_a_used_one_is_refused(
    guest: Person, listing_id: str
) -> None:
    body = stay(listing_id, 30, 3)
    refused(await guest.post("/api/v1/bookings", body), 400, "IDEMPOTENCY_KEY_REQUIRED")
    key = uuid.uuid4().hex
    first = ok(await guest.book(body, key))
    assert ok(await guest.book(body, key)) == first
    refused(await guest.book(body | {"guests": 1}, key), 409, "IDEMPOTENCY_KEY_REUSED")


async def test_somebody_elses_booking_is_not_there(
    host: Person, guest: Person, listing_id: str, api: Any, mail: Any
) -> None:
    other = await sign_up(api, mail, host=True)
    booking = ok(await guest.book(stay(listing_id, 30, 3)))
    path = f"/api/v1/bookings/{booking['bookingId']}"
    absent = "/api/v1/bookings/bkg_00000000000000000000000000"
    refused(await other.get(path), 404, "BOOKING_NOT_FOUND")
    refused(await other.get(absent), 404, "BOOKING_NOT_FOUND")
    assert (await other.get(path)).json()["message"] == (await other.get(absent)).json()["message"]
    refused(await other.put(f"{path}/cancel"), 404, "BOOKING_NOT_FOUND")
    refused(await other.get(f"/api/v1/users/{guest.user_id}/bookings"), 403, "NOT_YOURS")
    refused(await other.get(f"/api/v1/hosts/{host.user_id}/bookings"), 403, "NOT_YOURS")
    refused(
        await other.put(
            f"/api/v1/listings/{listing_id}", {"listing": {"title": "Mine"}, "updateMask": "title"}
        ),
        404,
        "LISTING_NOT_FOUND",
    )
    ok(await host.get(path))


async def test_what_only_the_service_sets_cannot_be_set(host: Person, listing_id: str) -> None:
    for name in ("hostId", "status", "rating", "listingId", "superhost"):
        change = {"listing": {"title": "x"}, "updateMask": name}
        answer = await host.put(f"/api/v1/listings/{listing_id}", change)
        assert answer.status_code == 400, name


async def test_tokens_that_are_not_ours_are_refused(guest: Person, api: Any) -> None:
    path = "/api/v1/users/me/bookings"
    refused(await api.get(path), 401, "UNAUTHENTICATED")
    for token in ("nonsense", guest.headers["authorization"].removeprefix("Bearer ")[:-3] + "abc"):
        answer = await api.get(path, headers={"authorization": f"Bearer {token}"})
        refused(answer, 401, "UNAUTHENTICATED")


async def test_a_guest_cannot_do_what_hosts_do(guest: Person) -> None:
    answer = await guest.post("/api/v1/listings", {"title": "Mine"})
    assert answer.status_code == 403
    assert answer.json()["details"][0]["reason"] == "ROLE_REQUIRED"


async def test_ones_own_home_cannot_be_booked(host: Person) -> None:
    listing = await publish(host)
    refused(await host.book(stay(listing["listingId"], 30, 3)), 400, "OWN_LISTING")


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ({"location": "Nowhere-on-Sea"}, 404, "PLACE_NOT_FOUND"),
        ({}, 400, "PLACE_REQUIRED"),
        ({"location": "Lisbon", "checkIn": day(30)}, 400, "DATES_INCOMPLETE"),
        ({"location": "Lisbon", "checkIn": day(3), "checkOut": day(1)}, 400, "DATES_REVERSED"),
        ({"location": "Lisbon", "checkIn": day(-9), "checkOut": day(1)}, 400, "DATES_IN_THE_PAST"),
        ({"location": "Lisbon", "pageToken": "made up"}, 400, "PAGE_TOKEN_INVALID"),
        ({"location": "Lisbon", "guests": "many"}, 400, "MALFORMED_REQUEST"),
        ({"location": "Lisbon", "colour": "blue"}, 400, "MALFORMED_REQUEST"),
    ],
)
async def test_a_search_that_makes_no_sense_says_why(
    api: Any, query: dict[str, Any], status: int, reason: str
) -> None:
    refused(await api.get("/api/v1/search", params=query), status, reason)
