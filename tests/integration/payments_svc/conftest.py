"""Payments on a real PostgreSQL, with a real sandbox in a process of its own."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
from staymesh.events.v1 import events_pb2

from mesh.aio import Retry
from mesh.clock import FixedClock
from mesh.data.migrate import migrate
from mesh.data.postgres import PostgresSettings, Shards
from mesh.data.sql import schema_of
from mesh.ids import new_id
from payments_svc.app import MIGRATIONS, Service, wire
from payments_svc.clients import stripe
from payments_svc.clients.patient import PatientProcessor
from payments_svc.domain.money import Money
from payments_svc.domain.payment import Ask, Payment, payment_id_of
from stack.preflight import is_free

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
KEY = "sk_test_payments"
INTENTS = "/v1/payment_intents"
SDK_WARNS = "ignore:Use 'content=<...>' to upload:DeprecationWarning"
"""The Stripe SDK hands httpx its form as text, in a way that httpx discourages."""
QUICK = Retry(attempts=3, base_seconds=0.01, cap_seconds=0.05)


class Sandbox:
    """The Stripe sandbox, as the stack starts it; it can be killed and started again."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.port = next(port for port in range(26010, 26100) if is_free(port))
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; `get` waits until it answers."""
        self._process = subprocess.Popen(
            [
                sys.executable,
                *("-m", "stack.stripe_sandbox"),
                *("--listen", f"127.0.0.1:{self.port}", "--data", str(self._data)),
            ]
        )
        transport = httpx.HTTPTransport(retries=20)  # with a growing pause, up to seconds
        with httpx.Client(transport=transport, timeout=10) as client:
            client.get(f"{self.url}/v1/balance", auth=(KEY, "")).raise_for_status()

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    async def call(self, verb: str, path: str, **more: Any) -> dict[str, Any]:
        """Call it as an operator, or as a cardholder, would."""
        # No TLS is spoken here, and making a context for it takes longer than the call.
        async with httpx.AsyncClient(base_url=self.url, auth=(KEY, ""), verify=False) as client:
            answer = await client.request(verb, path, **more)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    async def fault(self, call: str, trouble: str, **more: object) -> None:
        """Ask for trouble."""
        await self.call("POST", "/_sandbox/faults", json={"call": call, "trouble": trouble, **more})

    async def intents(self, booking_id: str) -> list[dict[str, Any]]:
        """Return what there is for a booking."""
        query = f"metadata['booking_id']:'{booking_id}'"
        found = await self.call("GET", f"{INTENTS}/search", params={"query": query})
        data: list[dict[str, Any]] = found["data"]
        return data

    async def intent(self, booking_id: str) -> dict[str, Any]:
        """Return the one intent of a booking."""
        (only,) = await self.intents(booking_id)
        return only


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for the session; each test has bookings of its own."""
    sandbox = Sandbox(tmp_path_factory.mktemp("stripe"))
    sandbox.start()
    yield sandbox
    sandbox.kill()


@pytest.fixture
async def sandbox(sandbox_process: Sandbox) -> AsyncIterator[Sandbox]:
    """The sandbox, without a trouble left over."""
    yield sandbox_process
    await sandbox_process.call("DELETE", "/_sandbox/faults")


@pytest.fixture(scope="session")
def payments_database(postgres_url: str) -> Iterator[str]:
    """The URL of a migrated database, made once: 16 schemas take a few seconds."""
    name = f"payments_{uuid.uuid4().hex}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))

    async def run(*statements: str) -> None:
        admin = await asyncpg.connect(postgres_url)
        for statement in statements:
            await admin.execute(statement)
        await admin.close()

    asyncio.run(run(f"CREATE DATABASE {name} TEMPLATE template0"))
    asyncio.run(migrate(PostgresSettings(url=url), MIGRATIONS))
    yield url
    asyncio.run(run(f"DROP DATABASE {name} WITH (FORCE)"))


def new_booking() -> str:
    return new_id("bkg", now_ms=1)


@dataclass(kw_only=True)
class World:
    """The service, and a booking of this test's own."""

    service: Service
    shards: Shards
    admin: "asyncpg.Connection[asyncpg.Record]"
    sandbox: Sandbox
    clock: FixedClock
    booking: str = field(default_factory=new_booking)

    def ask(self, card: str = "pm_card_visa", amount_minor: int = 100_00) -> Ask:
        return Ask(
            booking_id=self.booking,
            guest_id="usr_guest",
            amount=Money(amount_minor, "USD"),
            payment_method_id=card,
        )

    async def authorize(self, card: str = "pm_card_visa", **changes: Any) -> Payment:
        return await self.service.flows.authorize_payment(replace(self.ask(card), **changes))

    async def get(self) -> Payment | None:
        return await self.service.flows.get_payment(self.booking)

    async def settle(self, retain_minor: int, currency: str = "USD") -> Payment:
        retain = Money(retain_minor, currency)
        return await self.service.flows.settle_cancellation(self.booking, retain)

    async def intent(self) -> dict[str, Any]:
        return await self.sandbox.intent(self.booking)

    async def authenticate(self, *, succeeds: bool) -> None:
        """Be the cardholder before the bank's page."""
        intent_id = (await self.intent())["id"]
        await self.sandbox.call(
            "POST",
            f"/_sandbox/payment_intents/{intent_id}/authenticate",
            json={"succeeds": succeeds},
        )

    @property
    def schema(self) -> str:
        return schema_of(self.shards.of(self.booking))

    async def row(self) -> asyncpg.Record | None:
        return await self.admin.fetchrow(
            f"SELECT * FROM {self.schema}.payments WHERE booking_id = $1", self.booking
        )

    async def failures(self) -> list[asyncpg.Record]:
        return await self.admin.fetch(
            f"SELECT * FROM {self.schema}.failed_payments WHERE booking_id = $1", self.booking
        )

    async def told(self) -> list[str]:
        """Return the kinds of the events of this booking's payment, in order."""
        rows = await self.admin.fetch(
            f"SELECT payload FROM {self.schema}.outbox WHERE partition_key = $1 ORDER BY id",
            payment_id_of(self.booking),
        )
        return [events_pb2.Event.FromString(row["payload"]).kind for row in rows]


@pytest.fixture
async def world(payments_database: str, sandbox: Sandbox) -> AsyncIterator[World]:
    """The service, wired as in production but for its clock and its patience."""
    clock = FixedClock(NOW)
    admin = await asyncpg.connect(payments_database)
    async with (
        await Shards.open(PostgresSettings(url=payments_database)) as shards,
        stripe.connect(sandbox.url, KEY, timeout_seconds=1.0) as processor,
    ):
        service = wire(shards, processor=PatientProcessor(processor, QUICK), clock=clock)
        yield World(service=service, shards=shards, admin=admin, sandbox=sandbox, clock=clock)
    await admin.close()
