"""What a crash leaves is finished; what was given up stays given up."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from mesh.data.postgres import PostgresSettings, Shards
from mesh.errors import MeshError
from payments_svc.app import Service, wire
from payments_svc.clients import stripe
from payments_svc.clients.patient import PatientProcessor
from payments_svc.domain.money import Money
from payments_svc.domain.payment import Payment, PaymentClosed, State
from tests.integration.payments_svc.conftest import INTENTS, KEY, QUICK, SDK_WARNS, World

CREATE = f"POST {INTENTS}"
pytestmark = pytest.mark.filterwarnings(SDK_WARNS)
DUE = timedelta(seconds=21)


async def cut_off(
    world: World, call: str, trouble: str, work: Coroutine[Any, Any, Payment]
) -> None:
    """Let `work` fail at a call of its own, before or after the effect, and leave it half-done."""
    await world.sandbox.fault(call, trouble, times=3, seconds=1.2)
    with pytest.raises(MeshError):
        await work
    await world.sandbox.call("DELETE", "/_sandbox/faults")
    row = await world.row()
    assert row is not None
    assert row["state"] in ("pending", "settling")


async def until_pending(world: World) -> None:
    """Wait until a call has written its payment down."""
    async with asyncio.timeout(5):
        while await world.row() is None:  # noqa: ASYNC110  (it is PostgreSQL that tells)
            await asyncio.sleep(0)


@pytest.fixture
async def other(world: World, payments_database: str) -> AsyncIterator[Service]:
    """The same service in what stands for a second process: nothing of the first is shared."""
    async with (
        await Shards.open(PostgresSettings(url=payments_database)) as shards,
        stripe.connect(world.sandbox.url, KEY, timeout_seconds=1.0) as processor,
    ):
        yield wire(shards, processor=PatientProcessor(processor, QUICK), clock=world.clock)


async def recovered(world: World) -> State:
    """Let the time pass after which somebody else takes a payment up; return its state."""
    world.clock.advance(DUE)
    await world.service.recover()
    row = await world.row()
    assert row is not None
    return State(row["state"])


@pytest.mark.parametrize("trouble", ["error_before", "delay_after"])
async def test_a_payment_left_pending_is_finished_with_one_intent(
    world: World, trouble: str
) -> None:
    await cut_off(world, CREATE, trouble, world.authorize())
    assert await recovered(world) is State.AUTHORIZED
    assert (await world.intent())["status"] == "requires_capture"
    assert await world.told() == ["payment.authorized"]


async def test_a_call_has_its_time_before_anybody_else_takes_it_up(world: World) -> None:
    await cut_off(world, CREATE, "error_before", world.authorize())
    world.clock.advance(timedelta(seconds=19))
    await world.service.recover()
    row = await world.row()
    assert row is not None
    assert row["state"] == "pending"


@pytest.mark.parametrize("trouble", ["error_before", "delay_after"])
@pytest.mark.parametrize("retain", [0, 10_00])
async def test_a_settlement_left_half_done_is_finished(
    world: World, trouble: str, retain: int
) -> None:
    await world.authorize()
    await cut_off(world, f"{CREATE}/*", trouble, world.settle(retain))
    assert await recovered(world) is (State.CAPTURED if retain else State.VOIDED)
    assert (await world.intent())["amount_received"] == retain


@pytest.mark.parametrize("trouble", ["error_before", "delay_after"])
async def test_a_pending_payment_that_is_given_up_leaves_nothing_authorized(
    world: World, trouble: str
) -> None:
    await cut_off(world, CREATE, trouble, world.authorize())
    assert (await world.settle(0)).state is State.VOIDED
    assert (await world.intent())["status"] == "canceled"
    with pytest.raises(PaymentClosed):
        await world.authorize()


async def test_an_authorization_under_way_while_its_booking_is_given_up_is_voided(
    world: World,
) -> None:
    await world.sandbox.fault(CREATE, "delay_after", seconds=0.3)
    late = asyncio.create_task(world.authorize())
    await until_pending(world)
    assert (await world.settle(0)).state is State.VOIDED
    with pytest.raises(PaymentClosed):
        await late
    assert (await world.intent())["status"] == "canceled"
    assert await world.told() == ["payment.voided"]


async def test_an_authorization_that_reaches_stripe_after_the_settlement_is_the_voided_one(
    world: World, other: Service
) -> None:
    """The two are in different processes, so no lock of ours keeps them apart."""
    await world.sandbox.fault(CREATE, "delay_before", seconds=0.3)
    late = asyncio.create_task(world.authorize())
    await until_pending(world)
    settling = asyncio.create_task(other.flows.settle_cancellation(world.booking, Money(0, "USD")))
    with pytest.raises(PaymentClosed):
        await late
    with suppress(MeshError):  # the key was in use for longer than three tries
        await settling
    assert await recovered(world) is State.VOIDED
    assert (await world.intent())["status"] == "canceled"


async def test_two_processes_take_a_payment_up_once(world: World, other: Service) -> None:
    await cut_off(world, CREATE, "error_before", world.authorize())
    world.clock.advance(DUE)
    now, pause = world.clock.now(), timedelta(seconds=15)
    stores = (world.service.recover.payments, other.recover.payments)
    taken = await asyncio.gather(*(store.claim_due(now, 20, pause) for store in stores))
    # Other tests may have left payments of theirs that are due as well.
    ids = [payment.booking_id for payments in taken for payment in payments]
    assert ids.count(world.booking) == 1


async def test_a_processor_that_is_down_is_tried_again_and_noted(world: World) -> None:
    await world.authorize()
    await world.sandbox.fault(f"{CREATE}/*/cancel", "error_before", times=6)
    with pytest.raises(MeshError):
        await world.settle(0)
    assert await recovered(world) is State.SETTLING
    (failure,) = await world.failures()
    assert (failure["step"], failure["failures"], failure["resolved_at"]) == ("settle", 2, None)
    assert await recovered(world) is State.VOIDED
    (failure,) = await world.failures()
    assert failure["resolved_at"] is not None


async def test_a_hold_that_lapsed_is_noted_when_something_was_to_be_kept(world: World) -> None:
    await world.authorize()
    intent_id = (await world.intent())["id"]
    await world.sandbox.call("POST", f"{INTENTS}/{intent_id}/cancel", data={})
    assert (await world.settle(10_00)).state is State.VOIDED
    (failure,) = await world.failures()
    assert (failure["reason"], failure["resolved_at"]) == ("RETAINED_LESS", None)


async def test_a_key_that_stripe_has_forgotten_is_not_used_again(world: World) -> None:
    await cut_off(world, CREATE, "error_before", world.authorize())
    world.clock.advance(timedelta(hours=24))
    assert await recovered(world) is State.DECLINED
    assert await world.sandbox.intents(world.booking) == []


async def test_the_sandbox_remembers_through_a_crash(world: World) -> None:
    payment = await world.authorize()
    world.sandbox.kill()
    world.sandbox.start()
    assert (await world.intent())["id"] == payment.processor_id
    assert (await world.settle(0)).state is State.VOIDED
