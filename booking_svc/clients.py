"""The payment service, and the lock service, as the flows need them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from google.type.money_pb2 import Money as MoneyMessage
from staymesh.payments.v1 import payments_pb2 as pb
from staymesh.payments.v1 import payments_pb2_grpc as rpc

from booking_svc.convert.values import money_message
from booking_svc.domain.booking import Booking
from booking_svc.domain.payment import Payment, PaymentState, PaymentUnavailable
from mesh.data.fence import Fences
from mesh.errors import Kind, MeshError

_STATE_OF: Final = {pb.PaymentState.Value(f"PAYMENT_STATE_{s.name}"): s for s in PaymentState}
_REFUSALS: Final = frozenset({Kind.INVALID, Kind.FAILED_PRECONDITION, Kind.NOT_FOUND})
"""What says that nothing was begun; after any other error the outcome is open."""


class ListingFence:
    """The locks of listings in Redis, with their floor in our own database."""

    def __init__(self, fences: Fences, read_floor: Callable[[str], Awaitable[int]]) -> None:
        self._fences = fences
        self._read_floor = read_floor

    @asynccontextmanager
    async def lock(self, listing_id: str) -> AsyncIterator[int | None]:
        """Wait for the lock and give a token; None when Redis cannot be asked."""
        async with self._fences.acquire(listing_id, lambda: self._read_floor(listing_id)) as fence:
            yield fence.token

    async def forget(self, listing_id: str) -> None:
        """Drop a counter that the database has refused."""
        await self._fences.forget(listing_id)


class PaymentsClient:
    """Payments over gRPC."""

    def __init__(self, stub: "rpc.PaymentServiceAsyncStub") -> None:
        self._stub = stub

    async def authorize(self, booking: Booking, payment_method_id: str) -> Payment:
        """Reserve the booking's total. Raise PaymentUnavailable, or why the request is refused."""
        request = pb.AuthorizePaymentRequest(
            booking_id=booking.booking_id,
            guest_id=booking.guest_id,
            amount=_total(booking),
            payment_method_id=payment_method_id,
        )
        try:
            return _payment(await self._stub.AuthorizePayment(request))
        except MeshError as error:
            if error.kind in _REFUSALS:
                raise
            raise _unavailable() from error

    async def find(self, booking_id: str) -> Payment:
        """Return where the payment stands. Raise PaymentUnavailable."""
        try:
            return _payment(
                await self._stub.GetPayment(pb.GetPaymentRequest(booking_id=booking_id))
            )
        except MeshError as error:
            raise _unavailable() from error

    async def settle(self, booking: Booking) -> Payment:
        """Keep what the booking retains, give the rest back. Raise PaymentUnavailable."""
        request = pb.SettleCancellationRequest(
            booking_id=booking.booking_id,
            retain=money_message(booking.retain_minor, booking.price.currency),
        )
        try:
            return _payment(await self._stub.SettleCancellation(request))
        except MeshError as error:
            raise _unavailable() from error


def _total(booking: Booking) -> MoneyMessage:
    return money_message(booking.price.total_minor, booking.price.currency)


def _payment(message: pb.Payment) -> Payment:
    # A state that is newer than we are is one that we cannot act on.
    state = _STATE_OF.get(message.state, PaymentState.PENDING)
    return Payment(state=state, decline_code=message.decline_code)


def _unavailable() -> PaymentUnavailable:
    return PaymentUnavailable("the payment service cannot say how the payment stands; try again")
