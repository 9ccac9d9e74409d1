"""Many at once: one wins, nothing is left hanging, one key has one effect."""

import asyncio
import itertools
import uuid
from collections import Counter
from pathlib import Path

import httpx

from tests.stories.people import Person, ok, refused, sign_up, stay

RIVALS = 200


async def test_of_two_hundred_rivals_for_the_same_nights_one_wins(
    api: httpx.AsyncClient, mail: Path, listing_id: str
) -> None:
    people = [await sign_up(api, mail) for _ in range(4)]
    async with asyncio.TaskGroup() as group:
        tries = [
            group.create_task(people[n % len(people)].book(stay(listing_id, 30, 3)))
            for n in range(RIVALS)
        ]
    answers = [one.result() for one in tries]
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: RIVALS - 1}
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, "DATES_UNAVAILABLE")
    kept = [
        booking
        for person in people
        for booking in ok(await person.get("/api/v1/users/me/bookings"))["bookings"]
    ]
    assert [booking["status"] for booking in kept] == ["BOOKING_STATUS_CONFIRMED"]


async def test_overlapping_but_different_ranges_never_both_commit(
    api: httpx.AsyncClient, mail: Path, listing_id: str
) -> None:
    people = [await sign_up(api, mail) for _ in range(2)]
    async with asyncio.TaskGroup() as group:
        tries = [
            group.create_task(people[n % 2].book(stay(listing_id, 30 + n % 5, 3)))
            for n in range(40)
        ]
    won = [one.result().json() for one in tries if one.result().status_code == 200]
    taken = sorted((booking["checkIn"], booking["checkOut"]) for booking in won)
    assert 1 <= len(taken) <= 2
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(taken))


async def test_one_key_sent_thirty_times_at_once_books_once(guest: Person, listing_id: str) -> None:
    key = uuid.uuid4().hex
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(guest.book(stay(listing_id, 30, 3), key)) for _ in range(30)]
    answers = [one.result() for one in tries]
    done = [answer.json() for answer in answers if answer.status_code == 200]
    assert done
    assert all(answer == done[0] for answer in done)
    for answer in answers:
        if answer.status_code != 200:
            refused(answer, 409, "IDEMPOTENCY_IN_PROGRESS")
    assert ok(await guest.book(stay(listing_id, 30, 3), key)) == done[0]
    assert len(ok(await guest.get("/api/v1/users/me/bookings"))["bookings"]) == 1
