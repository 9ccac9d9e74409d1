"""The servicer: convert in, one flow, convert out."""

from dataclasses import dataclass
from typing import Any

from staymesh.payments.v1 import payments_pb2 as pb
from staymesh.payments.v1 import payments_pb2_grpc as rpc

from payments_svc import convert
from payments_svc.flows.authorize_payment import AuthorizePayment
from payments_svc.flows.get_payment import GetPayment
from payments_svc.flows.settle_cancellation import SettleCancellation


@dataclass(frozen=True, kw_only=True)
class Flows:
    """Every verb of the service."""

    authorize_payment: AuthorizePayment
    get_payment: GetPayment
    settle_cancellation: SettleCancellation


class PaymentServicer(rpc.PaymentServiceServicer):
    """The payments of bookings, for the rest of the mesh."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows

    async def AuthorizePayment(
        self, request: pb.AuthorizePaymentRequest, _context: Any
    ) -> pb.Payment:
        """Reserve the amount on the guest's card."""
        return convert.payment(await self._flows.authorize_payment(convert.ask(request)))

    async def GetPayment(self, request: pb.GetPaymentRequest, _context: Any) -> pb.Payment:
        """Tell where a booking's money stands."""
        known = await self._flows.get_payment(request.booking_id)
        return convert.nothing(request.booking_id) if known is None else convert.payment(known)

    async def SettleCancellation(
        self, request: pb.SettleCancellationRequest, _context: Any
    ) -> pb.Payment:
        """End a payment."""
        settled = await self._flows.settle_cancellation(request.booking_id, convert.retain(request))
        return convert.payment(settled)
