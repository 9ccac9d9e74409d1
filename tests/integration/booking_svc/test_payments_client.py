"""What booking makes of the payment service: an answer, an open outcome, or a refusal."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from staymesh.payments.v1 import payments_pb2 as pb
from staymesh.payments.v1 import payments_pb2_grpc as rpc

from booking_svc.clients import PaymentsClient
from booking_svc.domain.booking import CancelledBy, cancelled, confirmed
from booking_svc.domain.payment import PaymentState, PaymentUnavailable
from mesh.app import Mount
from mesh.errors import Conflict, FailedPrecondition, Internal, Invalid, MeshError, Unavailable
from mesh.testing import LocalMesh
from tests.unit.booking_svc.homes import NOW, booking


class Desk(rpc.PaymentServiceServicer):
    """Answers, or fails, as it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answer: Callable[[], pb.Payment] = pb.Payment

    async def AuthorizePayment(self, request: Any, _context: Any) -> pb.Payment:  # noqa: N802
        return self._say(request)

    async def GetPayment(self, request: Any, _context: Any) -> pb.Payment:  # noqa: N802
        return self._say(request)

    async def SettleCancellation(self, request: Any, _context: Any) -> pb.Payment:  # noqa: N802
        return self._say(request)

    def _say(self, request: Any) -> pb.Payment:
        self.asked.append(request)
        return self.answer()

    def fail(self, error: MeshError) -> None:
        def answer() -> pb.Payment:
            raise error

        self.answer = answer


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def payments(desk: Desk) -> AsyncIterator[PaymentsClient]:
    async with LocalMesh() as mesh:
        mount = Mount(
            desk, rpc.add_PaymentServiceServicer_to_server, "staymesh.payments.v1.PaymentService"
        )
        await mesh.serve("payments", [mount])
        channel = await mesh.connect("payments", caller="booking")
        yield PaymentsClient(rpc.PaymentServiceStub(channel))


async def test_the_total_is_asked_for_and_what_is_retained_is_kept(
    desk: Desk, payments: PaymentsClient
) -> None:
    desk.answer = lambda: pb.Payment(state=pb.PAYMENT_STATE_AUTHORIZED)
    one = booking()
    assert (await payments.authorize(one, "pm_card_visa")).state is PaymentState.AUTHORIZED
    asked = desk.asked[-1]
    assert (asked.booking_id, asked.guest_id) == (one.booking_id, one.guest_id)
    assert (asked.amount.units, asked.amount.currency_code) == (420, "USD")
    ended = cancelled(
        confirmed(one, "ABC234", NOW), CancelledBy.GUEST, "", NOW.replace(month=7, day=5)
    )
    await payments.settle(ended)
    assert desk.asked[-1].retain.units == 210


@pytest.mark.parametrize("state", PaymentState)
async def test_every_state_of_the_contract_is_understood(
    desk: Desk, payments: PaymentsClient, state: PaymentState
) -> None:
    number = pb.PaymentState.Value(f"PAYMENT_STATE_{state.name}")
    desk.answer = lambda: pb.Payment(state=number, decline_code="x")
    payment = await payments.find(booking().booking_id)
    assert (payment.state, payment.decline_code) == (state, "x")


async def test_a_state_we_do_not_know_is_one_that_is_still_open(
    desk: Desk, payments: PaymentsClient
) -> None:
    desk.answer = lambda: pb.Payment(state=99)  # type: ignore[arg-type]
    assert (await payments.find(booking().booking_id)).state.undecided


@pytest.mark.parametrize(
    "error", [Unavailable("x"), Internal("x"), Conflict("x")], ids=lambda e: e.kind
)
async def test_what_leaves_the_outcome_open_is_unavailable(
    desk: Desk, payments: PaymentsClient, error: MeshError
) -> None:
    desk.fail(error)
    for call in (
        payments.authorize(booking(), "pm_card_visa"),
        payments.find(booking().booking_id),
        payments.settle(booking(refund_minor=0)),
    ):
        with pytest.raises(PaymentUnavailable):
            await call


@pytest.mark.parametrize("error", [Invalid("x"), FailedPrecondition("x")], ids=lambda e: e.kind)
async def test_what_is_refused_before_it_begins_is_passed_on(
    desk: Desk, payments: PaymentsClient, error: MeshError
) -> None:
    desk.fail(error)
    with pytest.raises(type(error)):
        await payments.authorize(booking(), "pm_card_visa")
