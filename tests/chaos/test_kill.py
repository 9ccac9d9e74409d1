"""Each service killed with -9 while guests book: it comes back; no booking is lost or doubled."""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest

from tests.stack_fixture import RunningStack
from tests.stories.people import Person, day, eventually, ok, publish, stay

FIRST_NIGHT = 20
STAYS = 12
BACK_WITHIN_SECONDS = 30.0
SETTLED_WITHIN_SECONDS = 60.0


@dataclass
class Ledger:
    """What clients were told: the answer to each key, and the stay that was asked for."""

    confirmed: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)


@pytest.mark.parametrize("victim", ["booking", "payments", "accounts", "search", "indexer"])
async def test_a_service_killed_during_bookings_comes_back_and_nothing_is_lost_or_doubled(
    mesh_stack: RunningStack, host: Person, guest: Person, victim: str
) -> None:
    listing = await publish(host, minNights=1)
    told = Ledger()
    before = mesh_stack.status().parts[victim]
    async with _bookings(guest, listing["listingId"], told):
        await eventually(lambda: _some(told), within_seconds=30)
        assert before.pid is not None
        os.kill(before.pid, signal.SIGKILL)
    await eventually(
        lambda: _back(mesh_stack, victim, before.pid), within_seconds=BACK_WITHIN_SECONDS
    )
    await _repeat_until_told(guest, told)
    await eventually(
        lambda: _tables_agree(guest, listing["listingId"], told),
        within_seconds=SETTLED_WITHIN_SECONDS,
    )


@asynccontextmanager
async def _bookings(guest: Person, listing_id: str, told: Ledger) -> AsyncIterator[None]:
    """Book stay after stay beside each other while the block runs, and wait for the answers."""
    async with asyncio.TaskGroup() as group:
        for number in range(STAYS):
            key = uuid.uuid4().hex
            told.asked[key] = stay(listing_id, FIRST_NIGHT + 2 * number, 2)
            group.create_task(_book(guest, key, told))
        yield


async def _book(guest: Person, key: str, told: Ledger) -> bool:
    """Book under a key; an answer other than a confirmation says nothing for sure."""
    try:
        answer = await guest.book(told.asked[key], key)
    except httpx.TransportError:
        return False
    assert answer.status_code in (200, 409, 500, 503, 504), answer.text
    if answer.status_code == 200:
        told.confirmed[key] = answer.json()
    return answer.status_code == 200


async def _repeat_until_told(guest: Person, told: Ledger) -> None:
    """Send every booking again under its own key, as a client does that lost the answer."""
    for key in told.asked:
        first = told.confirmed.get(key)
        await eventually(partial(_book, guest, key, told), within_seconds=60)
        if first is not None:
            assert told.confirmed[key] == first, "the same key gave another answer"


async def _tables_agree(guest: Person, listing_id: str, told: Ledger) -> bool:
    """Tell whether the trips are just what was confirmed, and every night is booked once."""
    trips = ok(await guest.get("/api/v1/users/me/bookings", pageSize=100))["bookings"]
    live = {t["bookingId"]: t for t in trips if t["status"] != "BOOKING_STATUS_CANCELLED"}
    confirmed = {booking["bookingId"] for booking in told.confirmed.values()}
    assert confirmed <= set(live), "a booking that was acknowledged is gone"
    assert len(confirmed) == len(told.confirmed) == STAYS
    nights = [night for trip in live.values() for night in _nights(trip)]
    assert len(nights) == len(set(nights)), "a night is booked twice"
    return set(live) == confirmed and all(
        trip["status"] == "BOOKING_STATUS_CONFIRMED" for trip in live.values()
    )


def _nights(trip: dict[str, Any]) -> list[str]:
    offsets = [n for n in range(FIRST_NIGHT + 2 * STAYS) if trip["checkIn"] <= day(n)]
    return [day(n) for n in offsets if day(n) < trip["checkOut"]]


async def _some(told: Ledger) -> bool:
    return len(told.confirmed) >= 1


async def _back(stack: RunningStack, victim: str, old_pid: int | None) -> bool:
    part = stack.status().parts[victim]
    return part.state == "ready" and part.pid != old_pid
