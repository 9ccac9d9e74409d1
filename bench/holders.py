"""The two Python sides of a booking, each a process of its own, and each run is one round.

`python -m bench.holders store URL LISTINGS ROUND EACH` calls the store, as the flow does.
`python -m bench.holders flow URL LISTINGS EACH ADDRESS KEYS` calls CreateBooking by gRPC.
Both print their timings as JSON.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path

import grpc
import uvloop
from staymesh.booking.v1 import booking_pb2, booking_pb2_grpc

from bench.rounds import closed_loop, report
from bench.stays import CLIENTS, WORLD_NIGHTS, Hold, plan
from bench.timings import Timings
from booking_svc.convert.values import money_message
from booking_svc.domain.booking import Booking
from booking_svc.store.bookings import Bookings, HoldOutcome
from mesh.aio import Group, Principal
from mesh.clock import SystemClock
from mesh.data.postgres import PostgresSettings, Shards
from mesh.rpc.identity import sign_user_token
from mesh.rpc.keys import read_private_key
from stack.keys import Keys

_CARD = "pm_card_visa"


async def hold(url: str, listings: int, round_number: int, each: int) -> Timings:
    """Hold a round of stays by the store's own call."""
    async with await Shards.open(_postgres(url)) as shards:
        rounds = await plan(shards, listings, round_number=round_number, each=each)
        store = Bookings(shards)

        async def call(wanted: Hold) -> None:
            outcome = await store.hold(
                wanted.booking,
                calendar_version=wanted.calendar_version,
                token=wanted.token,
                lease_until=wanted.lease_until,
                events=wanted.events,
            )
            if outcome is not HoldOutcome.HELD:
                raise RuntimeError(f"a hold that nobody rivals was answered: {outcome}")

        async with Group() as group:  # all connections are there before the clock starts
            for clients in rounds:
                await group.go(store.fence_floor(clients[0].booking.listing_id))
        return await closed_loop(rounds, call)


async def book(url: str, listings: int, each: int, address: str, keys: Keys) -> Timings:
    """Book a round of stays whole; the window that may be booked is smaller than the calendar."""
    first = SystemClock().now().date() + timedelta(days=WORLD_NIGHTS)
    async with await Shards.open(_postgres(url)) as shards:
        rounds = await plan(shards, listings, round_number=0, each=each, first=first)
    tokens = _tokens(keys, {one.booking.guest_id for client in rounds for one in client})
    async with grpc.aio.insecure_channel(address) as channel:
        stub = booking_pb2_grpc.BookingServiceStub(channel)

        async def call(wanted: Hold) -> None:
            booking = wanted.booking
            metadata = (
                ("authorization", f"Bearer {tokens[booking.guest_id]}"),
                ("idempotency-key", booking.booking_id),
            )
            request = _request(booking)
            answer = await stub.CreateBooking(request, metadata=metadata, timeout=20)
            if answer.status != booking_pb2.BOOKING_STATUS_CONFIRMED:
                raise RuntimeError(f"a booking was not confirmed:\n{answer}")

        await channel.channel_ready()
        return await closed_loop(rounds, call)


def _postgres(url: str) -> PostgresSettings:
    return PostgresSettings(url=url, write_connections=CLIENTS, application_name="bench")


def _request(booking: Booking) -> booking_pb2.CreateBookingRequest:
    total = booking.price.total_minor
    return booking_pb2.CreateBookingRequest(
        listing_id=booking.listing_id,
        check_in=booking.check_in.isoformat(),
        check_out=booking.check_out.isoformat(),
        guests=booking.guests,
        expected_total=money_message(total, booking.price.currency),
        payment_method_id=_CARD,
    )


def _tokens(keys: Keys, guests: set[str]) -> dict[str, str]:
    """Sign every guest in, by the stack's own key."""
    private = read_private_key(keys.token_key)
    key_id = json.loads(keys.token_jwks.read_text())["keys"][0]["kid"]
    clock, life = SystemClock(), timedelta(hours=1)
    return {
        guest: sign_user_token(
            private, key_id, Principal(guest, frozenset(), "ses_bench"), clock=clock, life=life
        )
        for guest in sorted(guests)
    }


def main() -> None:
    """Run one round."""
    kind, url, listings, *rest = sys.argv[1:]
    if kind == "store":
        timings = uvloop.run(hold(url, int(listings), int(rest[0]), int(rest[1])))
    else:
        each, address, folder = rest
        keys = Keys(folder=Path(folder))
        timings = uvloop.run(book(url, int(listings), int(each), address, keys))
    report(timings)


if __name__ == "__main__":
    main()
