"""The service as a process: its contract over gRPC, its end by kill -9, its events on Kafka."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from google.type.money_pb2 import Money as MoneyMessage
from staymesh.events.v1 import events_pb2
from staymesh.payments.v1 import payments_pb2 as pb
from staymesh.payments.v1 import payments_pb2_grpc as rpc

from mesh.aio import within
from mesh.bus import ensure_topics
from mesh.data.sql import schema_of
from mesh.errors import Kind, MeshError
from mesh.ids import new_id, shard_of
from mesh.rpc.client import connect
from mesh.testing import Keyring
from payments_svc.convert import TOPIC
from payments_svc.domain.payment import payment_id_of
from stack.preflight import is_free
from tests.integration.payments_svc.conftest import INTENTS, KEY, Sandbox

GUEST = new_id("usr", now_ms=1)
STARTS_SECONDS = 30.0


@dataclass(kw_only=True)
class Process:
    """`python -m payments_svc`, which can be killed and started again on its port."""

    environment: dict[str, str]
    keys: Keyring
    child: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.child = subprocess.Popen([sys.executable, "-m", "payments_svc"], env=self.environment)

    def kill(self) -> None:
        assert self.child is not None
        os.kill(self.child.pid, signal.SIGKILL)
        self.child.wait()

    @asynccontextmanager
    async def stub(
        self, caller: str | None = "booking"
    ) -> AsyncIterator["rpc.PaymentServiceAsyncStub"]:
        """Call it as another service, or as nobody."""
        identity = None if caller is None else self.keys.identity(caller)
        address = self.environment["STAYMESH_LISTEN"]
        async with connect("payments", [address], identity) as channel, within(STARTS_SECONDS):
            await channel.channel_ready()
            yield rpc.PaymentServiceStub(channel)


@pytest.fixture
async def process(
    tmp_path: Path, payments_database: str, kafka_bootstrap: str, sandbox: Sandbox
) -> AsyncIterator[Process]:
    """The service, running, with everything real around it."""
    await ensure_topics(kafka_bootstrap)
    keys = Keyring()
    keys.service_key("booking")
    port = next(port for port in range(26050, 26100) if is_free(port))
    running = Process(
        keys=keys,
        environment={
            **os.environ,
            **keys.write(tmp_path, "payments"),
            "STAYMESH_LISTEN": f"127.0.0.1:{port}",
            "STAYMESH_DATABASE_URL": payments_database,
            "STAYMESH_KAFKA_URL": kafka_bootstrap,
            "STAYMESH_STRIPE_URL": sandbox.url,
            "STAYMESH_STRIPE_KEY": KEY,
            "STAYMESH_RECOVER_EVERY_SECONDS": "0.2",
        },
    )
    running.start()
    yield running
    running.kill()


def authorization(booking: str) -> pb.AuthorizePaymentRequest:
    return pb.AuthorizePaymentRequest(
        booking_id=booking,
        guest_id=GUEST,
        amount=MoneyMessage(currency_code="USD", units=100),
        payment_method_id="pm_card_visa",
    )


async def state_of(database: str, booking: str) -> str | None:
    """Return the state written down for a booking."""
    connection = await asyncpg.connect(database)
    try:
        table = f"{schema_of(shard_of(booking))}.payments"
        state: str | None = await connection.fetchval(
            f"SELECT state FROM {table} WHERE booking_id = $1", booking
        )
        return state
    finally:
        await connection.close()


async def first_event(bootstrap: str, booking: str) -> events_pb2.Event:
    """Return the first event on Kafka about a booking's payment."""
    partition = TopicPartition(TOPIC, shard_of(booking))
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([partition])
        async for record in consumer:
            if record.key == payment_id_of(booking).encode():
                return events_pb2.Event.FromString(record.value)
        raise AssertionError("the topic never ends")
    finally:
        await consumer.stop()


async def test_a_service_is_answered_and_its_payment_told(
    process: Process, kafka_bootstrap: str
) -> None:
    booking = new_id("bkg", now_ms=1)
    async with process.stub() as payments:
        nothing = await payments.GetPayment(pb.GetPaymentRequest(booking_id=booking))
        assert nothing.state == pb.PAYMENT_STATE_NONE
        held = await payments.AuthorizePayment(authorization(booking))
        assert held.state == pb.PAYMENT_STATE_AUTHORIZED
        assert held.amount.units == 100
        kept = MoneyMessage(currency_code="USD", units=30)
        settled = await payments.SettleCancellation(
            pb.SettleCancellationRequest(booking_id=booking, retain=kept)
        )
        assert (settled.state, settled.captured) == (pb.PAYMENT_STATE_CAPTURED, kept)
    async with asyncio.timeout(20):
        event = await first_event(kafka_bootstrap, booking)
    assert event.kind == "payment.authorized"
    assert event.payment_changed.payment.booking_id == booking


async def test_nobody_but_a_service_moves_money(process: Process) -> None:
    booking = new_id("bkg", now_ms=1)
    async with process.stub(caller=None) as payments:
        with pytest.raises(MeshError) as caught:
            await payments.AuthorizePayment(authorization(booking))
    assert caught.value.kind is Kind.FORBIDDEN


async def test_a_malformed_ask_is_refused_by_the_contract(process: Process) -> None:
    async with process.stub() as payments:
        with pytest.raises(MeshError) as caught:
            await payments.AuthorizePayment(authorization("bkg_1"))
    assert caught.value.kind is Kind.INVALID


async def test_what_a_killed_process_left_is_finished_by_the_next_one(
    process: Process, payments_database: str, sandbox: Sandbox, kafka_bootstrap: str
) -> None:
    booking = new_id("bkg", now_ms=1)
    await sandbox.fault(f"POST {INTENTS}", "delay_after", seconds=1.0)
    async with process.stub() as payments:
        call = asyncio.ensure_future(payments.AuthorizePayment(authorization(booking)))
        async with asyncio.timeout(20):
            while not await sandbox.intents(booking):  # noqa: ASYNC110  (another process tells)
                await asyncio.sleep(0.02)
        process.kill()
        call.cancel()
        await asyncio.wait([call])
    assert await state_of(payments_database, booking) == "pending"
    connection = await asyncpg.connect(payments_database)
    await connection.execute(
        f"UPDATE {schema_of(shard_of(booking))}.payments SET due_at = now() WHERE booking_id = $1",
        booking,
    )
    await connection.close()
    process.start()
    async with asyncio.timeout(STARTS_SECONDS + 20):
        event = await first_event(kafka_bootstrap, booking)
    assert await state_of(payments_database, booking) == "authorized"
    assert (await sandbox.intent(booking))["status"] == "requires_capture"
    assert event.kind == "payment.authorized"
