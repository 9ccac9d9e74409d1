"""A store that is away: what still answers, and how it says so."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stack_fixture import RunningStack
from tests.stories.people import Person, day, eventually, found, ok, publish, stay

DATES = {"checkIn": day(30), "checkOut": day(33), "guests": 2}


@contextmanager
def _stopped(stack: RunningStack, part: str) -> Iterator[None]:
    """Freeze a part: it holds its connections and answers nothing, which is worse than gone."""
    pid = stack.status().parts[part].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_with_elasticsearch_stopped_postgresql_answers_the_same_marked_degraded(
    mesh_stack: RunningStack, host: Person, guest: Person
) -> None:
    listing = await publish(host)
    await eventually(lambda: found(guest, listing["listingId"], **DATES))
    near = {"lat": 64.1466, "lng": -21.9426, "pageSize": 50, "amenities": "wifi", **DATES}
    healthy = ok(await guest.get("/api/v1/search", **near))
    assert healthy["degraded"] is False
    with _stopped(mesh_stack, "elasticsearch"):
        # Another filter, so that no cached candidates answer; it takes nothing out.
        degraded = ok(await guest.get("/api/v1/search", **near | {"minBeds": 1}))
        assert degraded["degraded"] is True
        assert degraded["missing"] == ["elasticsearch"]
        assert _ids(degraded) == _ids(healthy)

    async def whole_again() -> bool:
        answer = ok(await guest.get("/api/v1/search", **near | {"minBedrooms": 1}))
        return answer["degraded"] is False

    await eventually(whole_again, within_seconds=60)


async def test_with_redis_stopped_bookings_go_on(
    mesh_stack: RunningStack, guest: Person, listing_id: str
) -> None:
    with _stopped(mesh_stack, "valkey"):
        ok(await guest.book(stay(listing_id, 30, 3)))
        again = await guest.book(stay(listing_id, 31, 3))
        assert again.status_code == 409
    ok(await guest.book(stay(listing_id, 40, 3)))


async def test_with_a_shard_stopped_the_answer_is_partial_and_names_it(
    mesh_stack: RunningStack, guest: Person
) -> None:
    with _stopped(mesh_stack, "shard-0"):
        answer = ok(await guest.get("/api/v1/search", location="Reykjavik", **DATES))
        assert answer["degraded"] is True
        assert answer["missing"] == ["shard-0"]

    async def whole_again() -> bool:
        answer: dict[str, Any] = ok(
            await guest.get("/api/v1/search", location="Reykjavik", **DATES)
        )
        return answer["degraded"] is False

    await eventually(whole_again, within_seconds=60)


def _ids(answer: dict[str, Any]) -> list[str]:
    return [result["listingId"] for result in answer["results"]]
