"""Reserve a booking's money on the guest's card, once.

1. refuse what can only be refused
2. write the payment down as pending, or find the one the booking has
3. ask the processor, outside of any transaction, under the payment's own idempotency key
4. write down how it ended, with its event
5. answer; but when the booking was given up meanwhile, its settlement undoes what was authorized
"""

from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter

from mesh.aio import Keyed
from mesh.clock import Clock
from mesh.errors import MeshError
from payments_svc.clients.processor import Processor
from payments_svc.domain.payment import Ask, Payment, State, asked, check_same
from payments_svc.flows.failures import NoteFailures
from payments_svc.flows.learn import Learn
from payments_svc.flows.outcome import FindOutcome
from payments_svc.store.payments import Payments

_AUTHORIZATIONS: Final = Counter(
    "payment_authorizations_total", "Authorizations by how they ended.", ["result"]
)
_OPEN: Final = frozenset({State.PENDING, State.REQUIRES_ACTION})


@dataclass(frozen=True, kw_only=True)
class AuthorizePayment:
    """Authorize one payment."""

    payments: Payments
    processor: Processor
    outcome: FindOutcome
    learn: Learn
    failures: NoteFailures
    locks: Keyed[str]
    """By booking: many calls for one booking in this process ask the processor once."""
    clock: Clock

    async def __call__(self, ask: Ask) -> Payment:
        """Return the payment; a refusal is an answer.

        Raise NotChargeable, PaymentMismatch, PaymentClosed, or Unavailable when the outcome is not
        known: the same call again goes on where it stopped.
        """
        self.processor.check_chargeable(ask.amount)
        async with self.locks.lock(ask.booking_id):
            payment = await self.payments.change(ask.booking_id, lambda p: self._begun(p, ask))
            if payment.state in _OPEN:
                payment = await self._asked(payment)
        check_same(payment, ask)
        return payment

    def _begun(self, known: Payment | None, ask: Ask) -> Payment:
        if known is None:
            return asked(ask, self.clock.now())
        check_same(known, ask)
        return known

    async def _asked(self, payment: Payment) -> Payment:
        try:
            async with self.failures.of(payment, "authorize"):
                intent = await self.outcome(payment)
            after = await self.learn(payment.booking_id, intent)
        except MeshError:
            _AUTHORIZATIONS.labels("failed").inc()
            raise
        if after.state is not payment.state:
            _AUTHORIZATIONS.labels(after.state.value).inc()
        return after
