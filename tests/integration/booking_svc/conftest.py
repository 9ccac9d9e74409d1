"""Booking on a real PostgreSQL, with a payment service that does as it is told."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from staymesh.events.v1 import events_pb2

from booking_svc.app import MIGRATIONS, Service, wire
from booking_svc.domain.booking import Booking
from booking_svc.domain.money import Money
from booking_svc.domain.payment import Payment, PaymentState, PaymentUnavailable
from booking_svc.domain.stay import Stay
from booking_svc.flows.create_booking import NewBooking
from booking_svc.store.bookings import Bookings
from mesh.aio import IdempotentCall, Principal, RequestContext, use_context
from mesh.clock import FixedClock
from mesh.data.migrate import migrate
from mesh.data.postgres import PostgresSettings, Shards
from mesh.data.sql import schema_of
from mesh.ids import new_id
from stack.databases import EXTENSIONS
from tests.unit.booking_svc.homes import DETAILS

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ARRIVAL = date(2026, 7, 6)


class FakePayments:
    """One payment for one booking, as the payment service keeps it; `stop` makes it unreachable.

    The card decides: pm_card_visa is good, pm_card_declined is not, pm_card_3ds wants an action.
    """

    def __init__(self) -> None:
        self.states: dict[str, PaymentState] = {}
        self.settled: dict[str, int] = {}
        self.authorizations = 0
        self.stopped = False
        self.lose_answers = False

    async def authorize(self, booking: Booking, payment_method_id: str) -> Payment:
        self._reach()
        if booking.booking_id not in self.states:
            self.authorizations += 1
            self.states[booking.booking_id] = {
                "pm_card_visa": PaymentState.AUTHORIZED,
                "pm_card_declined": PaymentState.DECLINED,
                "pm_card_3ds": PaymentState.REQUIRES_ACTION,
            }[payment_method_id]
        if self.lose_answers:
            raise PaymentUnavailable
        return self._payment(booking.booking_id)

    async def find(self, booking_id: str) -> Payment:
        self._reach()
        return self._payment(booking_id)

    async def settle(self, booking: Booking) -> Payment:
        self._reach()
        retained = booking.retain_minor
        self.settled[booking.booking_id] = retained
        self.states[booking.booking_id] = (
            PaymentState.PARTIALLY_REFUNDED if retained else PaymentState.VOIDED
        )
        return self._payment(booking.booking_id)

    def _reach(self) -> None:
        if self.stopped:
            raise PaymentUnavailable

    def _payment(self, booking_id: str) -> Payment:
        state = self.states.get(booking_id, PaymentState.NONE)
        code = "insufficient_funds" if state is PaymentState.DECLINED else ""
        return Payment(state=state, decline_code=code)


class NoFence:
    """A lock service that is down."""

    @asynccontextmanager
    async def lock(self, listing_id: str) -> AsyncIterator[int | None]:
        yield None

    async def forget(self, listing_id: str) -> None:
        """Nothing is remembered."""


@dataclass(kw_only=True)
class World:
    """The service on a database of the session's own; each test has hosts and homes of its own."""

    shards: Shards
    admin: "asyncpg.Connection[asyncpg.Record]"
    payments: FakePayments
    clock: FixedClock
    service: Service
    host: str = field(default_factory=lambda: new_id("usr", now_ms=0))
    guest: str = field(default_factory=lambda: new_id("usr", now_ms=0))

    @property
    def bookings(self) -> Bookings:
        return Bookings(self.shards)

    @contextmanager
    def signed_in(
        self, user_id: str, key: str | None = None, attempt: int = 0
    ) -> Iterator[RequestContext]:
        """Be a person, under an idempotency key if one is given."""
        call = None if key is None else IdempotentCall(key, attempt, NOW)
        with use_context(RequestContext(principal=Principal(user_id), idempotency=call)) as context:
            yield context

    async def listing(self, **changes: Any) -> str:
        """Publish a home of this test's host and return its id."""
        flows = self.service.flows
        with self.signed_in(self.host):
            draft = await flows.create_listing(replace(DETAILS, **changes))
            await flows.update_listing.publish(draft.listing_id)
        return draft.listing_id

    async def book(
        self,
        listing_id: str,
        *,
        key: str = "",
        card: str = "pm_card_visa",
        guest: str | None = None,
        first: int = 0,
        nights: int = 3,
        attempt: int = 0,
    ) -> Booking:
        """Book, at the price that the listing asks, nights counted from ARRIVAL."""
        request = self.request(listing_id, card=card, first=first, nights=nights)
        with self.signed_in(guest or self.guest, key or uuid.uuid4().hex, attempt):
            return await self.service.flows.create_booking(request)

    def request(
        self, listing_id: str, *, card: str = "pm_card_visa", first: int = 0, nights: int = 3
    ) -> NewBooking:
        arrival = ARRIVAL + timedelta(days=first)
        stay = Stay(check_in=arrival, check_out=arrival + timedelta(days=nights), guests=2)
        base = nights * 100_00
        total = base + 50_00 + base * 14 // 100 + 2 * ((base + 50_00) * 4 // 100)
        return NewBooking(
            listing_id=listing_id,
            stay=stay,
            quote_id="",
            expected_total=Money(total, "USD"),
            payment_method_id=card,
        )

    async def rows(self, table: str, listing_id: str) -> list[asyncpg.Record]:
        """Return a listing's rows of a table."""
        schema = schema_of(self.shards.of(listing_id))
        return await self.admin.fetch(
            f"SELECT * FROM {schema}.{table} WHERE listing_id = $1", listing_id
        )

    async def nights(self, listing_id: str) -> dict[date, str | None]:
        """Return the status of each night that has a row."""
        return {row["night"]: row["status"] for row in await self.rows("nights", listing_id)}

    async def events(self, key: str) -> list[events_pb2.Event]:
        """Return what was told of an aggregate, in order."""
        schema = schema_of(self.shards.of(key))
        rows = await self.admin.fetch(
            f"SELECT payload FROM {schema}.outbox WHERE partition_key = $1 ORDER BY id", key
        )
        return [events_pb2.Event.FromString(row["payload"]) for row in rows]

    async def no_orphans(self, listing_id: str) -> None:
        """Assert that held and booked nights are exactly those of the live bookings."""
        taken = {
            (row["night"], row["booking_id"])
            for row in await self.rows("nights", listing_id)
            if row["booking_id"] is not None
        }
        live = {
            (row["check_in"] + timedelta(days=i), row["booking_id"])
            for row in await self.rows("bookings", listing_id)
            if row["status"] in ("pending", "confirmed", "checked_in")
            for i in range((row["check_out"] - row["check_in"]).days)
        }
        assert taken == live


@pytest.fixture(scope="session")
def booking_database(postgres_url: str) -> Iterator[str]:
    """The URL of a migrated database, made once: 16 schemas take a few seconds."""
    name = f"booking_{uuid.uuid4().hex}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))

    async def make() -> None:
        admin = await asyncpg.connect(postgres_url)
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        await admin.close()
        connection = await asyncpg.connect(url)
        for extension in EXTENSIONS:
            await connection.execute(f"CREATE EXTENSION {extension} SCHEMA public")
        await connection.close()
        await migrate(PostgresSettings(url=url), MIGRATIONS)

    async def drop() -> None:
        admin = await asyncpg.connect(postgres_url)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()

    asyncio.run(make())
    yield url
    asyncio.run(drop())


@pytest.fixture
async def world(booking_database: str) -> AsyncIterator[World]:
    """The service, wired as in production but for its neighbours."""
    payments, clock = FakePayments(), FixedClock(NOW)
    admin = await asyncpg.connect(booking_database)
    async with await Shards.open(PostgresSettings(url=booking_database)) as shards:
        service = wire(shards, payments=payments, fence=NoFence(), clock=clock)
        yield World(shards=shards, admin=admin, payments=payments, clock=clock, service=service)
    await admin.close()
