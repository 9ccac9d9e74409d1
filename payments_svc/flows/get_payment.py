"""Tell where a booking's money stands.

1. read the payment from the primary
2. decided: that is the answer
3. open: look what the processor has, without asking for an authorization that was never made; it
   is for whoever asked, or for the recovery, to go on with that
4. write down what was seen
"""

from dataclasses import dataclass
from typing import Final

from payments_svc.domain.payment import Payment, State
from payments_svc.flows.learn import Learn
from payments_svc.flows.outcome import FindOutcome
from payments_svc.store.payments import Payments

_OPEN: Final = frozenset({State.PENDING, State.REQUIRES_ACTION})


@dataclass(frozen=True, kw_only=True)
class GetPayment:
    """Look one payment up."""

    payments: Payments
    outcome: FindOutcome
    learn: Learn

    async def __call__(self, booking_id: str) -> Payment | None:
        """Return the payment; None when none was ever asked for. Raise Unavailable."""
        payment = await self.payments.get_to_decide(booking_id)
        if payment is None or payment.state not in _OPEN:
            return payment
        intent = await self.outcome.seen(payment)
        return payment if intent is None else await self.learn(booking_id, intent)
